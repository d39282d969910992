"""`teams` and their members."""

import uuid
from typing import Any, Literal, TypedDict

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from accounts import policy
from accounts.models import Team, TeamMembership, TeamRole, User, fold_email
from accounts.people import PersonRow, person_row
from accounts.rights import rights_of
from accounts.services import teams
from issues.refs import parse_uuid
from issues.services import project_teams
from tracker.api.bodies import Body
from tracker.api.fields import Choice, Ref, Text
from tracker.api.operations import Param, operation
from tracker.api.pagination import Row, SortKey, rows_of_objects
from tracker.api.views import ApiView
from tracker.errors import Invalid, NotFound

TEAM_SORTS = {"name": SortKey("name"), "created_at": SortKey("created_at")}
MEMBER_SORTS = {"name": SortKey("user__name")}


class TeamShape(TypedDict):
    """A team; of its projects those that the reader sees."""

    id: uuid.UUID
    name: str
    description: str
    projects: list[str]
    member_count: int


class MemberShape(TypedDict):
    """Somebody in a team."""

    user: PersonRow
    role: Literal["member", "lead"]


class TeamChanges(Body):
    """What can be changed in a team."""

    ignored = frozenset({"member_count"})

    name = Text(min_length=1, max_length=100)
    description = Text(trim=False, max_bytes=64 * 1024, required=False)
    projects: Any = serializers.ListField(child=Ref("key", max_length=20), max_length=1000, required=False)


class NewMember(Body):
    """Who is to be in a team, by id or address, and as what."""

    user = Ref("id", "email")
    role = Choice(TeamRole.values, required=False)


class TeamsView(ApiView):
    """`teams`."""

    @operation(
        response=TeamShape,
        paginated=True,
        sorts=tuple(TEAM_SORTS),
        query=(Param("search", maximum=100, description="Part of the name."),),
        summary="List teams",
    )
    def get(self, request: Request) -> HttpResponse:
        """List one's own teams; all of them for who manages teams."""
        found = _visible_to(self.user)
        if self.query["search"]:
            found = found.filter(name__icontains=self.query["search"])
        return self.page(found, rows=self._rows, sorts=TEAM_SORTS, default="-created_at")

    @operation(request=TeamChanges, response=TeamShape, status=201, statuses=(409,), summary="Create a team")
    def post(self, request: Request) -> HttpResponse:
        """Make a team, which one then leads."""
        policy.require(allowed=policy.can_create_team(self.user), message="You may not create teams.")
        team = project_teams.create_team(by=self.caller, **self.body(TeamChanges))
        return self.created(_shown(team.pk, self.user))

    def _rows(self, queryset: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        return rows_of_objects(lambda team: dict(_row(team, self.user)))(queryset, extra)


class TeamView(ApiView):
    """`teams/{id}`."""

    @operation(response=TeamShape, summary="Read a team")
    def get(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """Show a team."""
        return self.ok(_shown(team_id, self.user))

    @operation(request=TeamChanges, response=TeamShape, statuses=(409,), summary="Change a team")
    def put(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """Change a team; the name must be there, what else is left out stays."""
        return self._change(team_id)

    @operation(request=TeamChanges, response=TeamShape, statuses=(409,), summary="Change parts of a team")
    def patch(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """Change a team."""
        return self._change(team_id)

    @operation(statuses=(409,), summary="Delete a team")
    def delete(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """Delete a team; its people, issues and projects stay."""
        project_teams.delete_team(team_id, by=self.caller)
        return self.none()

    def _change(self, team_id: uuid.UUID) -> HttpResponse:
        team = teams.find_managed_team(team_id, by=self.caller)
        project_teams.edit_team(team.pk, by=self.caller, changes=self.body(TeamChanges))
        return self.ok(_shown(team.pk, self.user))


class MembersView(ApiView):
    """`teams/{id}/members`."""

    @operation(response=MemberShape, paginated=True, sorts=tuple(MEMBER_SORTS), summary="List the members")
    def get(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """List who is in a team, by name."""
        team = teams.find_team(team_id, by=self.caller)
        found = TeamMembership.objects.filter(team=team).select_related("user")
        return self.page(found, rows=rows_of_objects(_member_row), sorts=MEMBER_SORTS, default="name")

    @operation(request=NewMember, response=MemberShape, status=201, summary="Add a member")
    def post(self, request: Request, team_id: uuid.UUID) -> HttpResponse:
        """Put a person into a team; who is in it gets the role."""
        team = teams.find_managed_team(team_id, by=self.caller)
        body = self.body(NewMember)
        role = body.get("role", TeamRole.MEMBER)
        person = _person(body["user"])
        return self.created(
            _member_row(teams.add_member(team.pk, by=self.caller, user_id=person.pk, role=role))
        )


class MemberView(ApiView):
    """`teams/{id}/members/{user}`."""

    @operation(summary="Remove a member")
    def delete(self, request: Request, team_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        """Take a person out of a team."""
        teams.remove_member(team_id, by=self.caller, user_id=user_id)
        return self.none()


def _visible_to(user: Any) -> QuerySet[Any]:
    rights = rights_of(user)
    members = TeamMembership.objects.filter(team=OuterRef("pk")).order_by().values("team")
    counted = members.annotate(number=Count("pk")).values("number")
    found = Team.objects.annotate(member_count=Coalesce(Subquery(counted), 0))
    return found if rights.may("accounts.manage_teams") else found.filter(pk__in=rights.team_ids)


def _shown(team_id: uuid.UUID, user: Any) -> TeamShape:
    team = _visible_to(user).filter(pk=team_id).first()
    if team is None:
        raise NotFound
    return _row(team, user)


def _row(team: Any, user: Any) -> TeamShape:
    return {
        "id": team.pk,
        "name": team.name,
        "description": team.description,
        "projects": [project.key for project in project_teams.projects_of_team(team.pk, user)],
        "member_count": team.member_count,
    }


def _member_row(membership: TeamMembership) -> dict[str, Any]:
    return {"user": person_row(membership.user), "role": membership.role}


def _person(ref: str) -> User:
    person_id = parse_uuid(ref)
    wanted = {"pk": person_id} if person_id else {"email": fold_email(ref)}
    person: User | None = User.objects.filter(is_active=True, **wanted).first()
    if person is None:
        raise Invalid(fields={"user": ["There is no such person."]})
    return person
