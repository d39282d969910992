"""`users/directory`: who can be assigned or mentioned in a project, by name and picture only."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.models import TeamMembership, User
from accounts.people import PersonRow, person_row
from issues.catalog import ProjectInfo, catalog
from issues.scope import scope_of
from tracker.api.operations import Param, operation
from tracker.api.pagination import SortKey, rows_of_objects
from tracker.api.views import ApiView
from tracker.errors import Invalid
from tracker.versions import versions_of

SORTS = {"name": SortKey("name")}


class DirectoryView(ApiView):
    """`users/directory`."""

    @operation(
        response=PersonRow,
        paginated=True,
        sorts=tuple(SORTS),
        query=(
            Param("project", required=True, maximum=20, description="The project's key."),
            Param("q", maximum=100, description="Part of the name."),
        ),
        summary="List the people of a project",
    )
    def get(self, request: Request) -> HttpResponse:
        """List the active people who see a project, by name."""
        found = people_of_project(_project(self.query["project"], self.user))
        if self.query["q"]:
            found = found.filter(name__icontains=self.query["q"])
        return self.page(found, rows=rows_of_objects(_row), sorts=SORTS, default="name")


def people_of_project(project: ProjectInfo) -> QuerySet[User]:
    """Return the active people who see a project: all of them, or of a private one its lead, its teams, and
    the roles that see private projects."""
    active: QuerySet[User] = User.objects.filter(is_active=True)
    if not project.is_private:
        return active
    roles = Group.objects.filter(
        permissions__codename="see_private_projects", permissions__content_type__app_label="issues"
    )
    members = TeamMembership.objects.filter(team__in=project.team_ids)
    return active.filter(
        Q(pk=project.lead_id) | Q(role__in=roles.values("name")) | Q(pk__in=members.values("user"))
    )


def _project(key: str, user: Any) -> ProjectInfo:
    project = catalog(versions_of(user)).project_by_key(key)
    if project is None or not scope_of(user).sees_project(project.id):
        raise Invalid(fields={"project": ["There is no such project."]})
    return project


def _row(user: User) -> dict[str, Any]:
    return dict(person_row(user))
