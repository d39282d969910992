"""The projects of the API, by key. DELETE archives; `archived: false` takes one out of the archive."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.models import Team, User, fold_email
from accounts.policy import sees_team
from issues import policy
from issues.api.project_bodies import NewProjectBody, ProjectBody, WholeProjectBody
from issues.api.project_shapes import Project as ProjectShape
from issues.catalog import ProjectInfo
from issues.models import Project
from issues.project_rows import find_project, project_row, project_rows
from issues.refs import parse_uuid
from issues.scope import scope_of
from issues.services.projects import archive_project, create_project, edit_project
from tracker.api.operations import Param, operation
from tracker.api.pagination import Row, SortKey
from tracker.api.views import ApiView
from tracker.errors import Invalid

SORTS: Final = {"created_at": SortKey("created_at"), "key": SortKey("key"), "name": SortKey("name")}
_FILTERS: Final = (
    Param("search", maximum=200, description="Words of the name, or a part of the key."),
    Param("archived", "flag", description="Only archived projects, or only the others."),
)


class ProjectsView(ApiView):
    """All projects that the caller sees."""

    @operation(response=ProjectShape, paginated=True, sorts=tuple(SORTS), query=_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """List the projects, the newest first; archived ones are among them."""
        projects = _filtered(Project.objects.visible_to(self.user), self.query)
        return self.page(projects, rows=self._rows, sorts=SORTS, default="-created_at")

    @operation(request=NewProjectBody, response=ProjectShape, status=201, statuses=(409,))
    def post(self, request: Request) -> HttpResponse:
        """Make a project with a copy of a preset's workflow."""
        allowed = policy.can_create_project(scope_of(self.user))
        policy.require(allowed=allowed, message="You may not create projects.")
        fields = resolved(self.body(NewProjectBody), user=self.user, held=frozenset())
        if "workflow_preset" in fields:
            fields["preset"] = fields.pop("workflow_preset")
        project = create_project(by=self.caller, **fields)
        return self.created(project_row(project.pk, user=self.user))

    def _rows(self, projects: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        found = list(projects.values_list("id", *extra))
        rows = project_rows([values[0] for values in found], user=self.user)
        return [(row, values[1:]) for row, values in zip(rows, found, strict=True)]


class ProjectView(ApiView):
    """One project."""

    @operation(response=ProjectShape)
    def get(self, request: Request, key: str) -> HttpResponse:
        """Return a project."""
        return self.ok(project_row(find_project(key, user=self.user).id, user=self.user))

    @operation(request=WholeProjectBody, response=ProjectShape, statuses=(409,))
    def put(self, request: Request, key: str) -> HttpResponse:
        """Change a project; optional fields that are left out keep their value."""
        return self._edit(key, WholeProjectBody)

    @operation(request=ProjectBody, response=ProjectShape, statuses=(409,))
    def patch(self, request: Request, key: str) -> HttpResponse:
        """Change the fields that are sent."""
        return self._edit(key, ProjectBody)

    @operation(statuses=(409,))
    def delete(self, request: Request, key: str) -> HttpResponse:
        """Archive a project: it can be read, not changed."""
        archive_project(find_project(key, user=self.user).id, by=self.caller)
        return self.none()

    def _edit(self, key: str, body_class: type[ProjectBody]) -> HttpResponse:
        project = find_managed_project(key, user=self.user)
        body = self.body(body_class)
        body.pop("key", None)
        changes = resolved(body, user=self.user, held=project.team_ids)
        edit_project(project.id, by=self.caller, changes=changes)
        return self.ok(project_row(project.id, user=self.user))


def find_managed_project(key: str, *, user: User) -> ProjectInfo:
    """Return a project that the caller may change. Raises `NotFound`, `NotAllowed`."""
    project = find_project(key, user=user)
    allowed = policy.can_manage_project(scope_of(user), project.id)
    policy.require(allowed=allowed, message="You may not change projects.")
    return project


def resolved(body: Mapping[str, Any], *, user: User, held: frozenset[uuid.UUID]) -> dict[str, Any]:
    """Return the fields with `lead` and `teams` looked up. `held`: teams that the project has already.

    Raises `Invalid` naming what is not there or not seen.
    """
    fields = dict(body)
    if fields.get("lead") is not None:
        fields["lead"] = _person(fields["lead"], user=user)
    if "teams" in fields:
        fields["teams"] = _teams(fields["teams"], user=user, held=held)
    return fields


def _filtered(projects: QuerySet[Any], query: Mapping[str, Any]) -> QuerySet[Any]:
    if query["archived"] is not None:
        projects = projects.filter(archived_at__isnull=not query["archived"])
    for word in (query["search"] or "").split()[:20]:
        projects = projects.filter(Q(name__icontains=word) | Q(key__icontains=word))
    return projects


def _person(ref: str, *, user: User) -> User:
    if ref == "me":
        return user
    person_id = parse_uuid(ref)
    condition = Q(pk=person_id) if person_id else Q(email=fold_email(ref))
    person: User | None = User.objects.filter(condition).first()
    if person is None:
        raise Invalid(fields={"lead": ["There is no such person."]})
    return person


def _teams(refs: list[str], *, user: User, held: frozenset[uuid.UUID]) -> list[Team]:
    ids = {ref: parse_uuid(ref) for ref in refs}
    teams = {team.pk: team for team in Team.objects.filter(pk__in=[key for key in ids.values() if key])}
    seen = {key for key, team in teams.items() if key in held or sees_team(user, team)}
    unknown = [ref for ref, key in ids.items() if key not in seen]
    if unknown:
        raise Invalid(fields={"teams": [f"There is no team {ref}." for ref in unknown[:10]]})
    return [teams[key] for key in seen]
