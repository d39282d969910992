"""Teams and who is in them.

Who makes a team leads it. Whoever leads a team, and may create teams at all, changes it and its members;
whoever may manage teams changes all of them. A team that the caller does not see is not there.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from accounts import policy
from accounts.models import Team, TeamMembership, TeamRole, User
from accounts.services import fields
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotFound
from tracker.events.record import record
from tracker.versions import CATALOG, RIGHTS, bump

_CLEAN: Final[Mapping[str, Callable[[object], Any]]] = {
    "name": fields.clean_name,
    "description": fields.clean_description,
}


@transaction.atomic
def create_team(*, by: Caller, name: str, description: str = "") -> Team:
    """Make a team that the caller leads.

    Raises `NotAllowed`, `Invalid`, and `Conflict` where the name is taken.
    """
    policy.require(allowed=policy.can_create_team(by.user), message="You may not create teams.")
    team = Team(
        name=fields.clean_name(name), description=fields.clean_description(description), created_at=by.now
    )
    _save(team, force_insert=True)
    TeamMembership.objects.create(team=team, user=by.user, role=TeamRole.LEAD)
    bump(CATALOG, RIGHTS, by=by)
    record(by=by, verb="team.created", subject_id=team.pk, data={"name": team.name})
    return team


@transaction.atomic
def edit_team(team_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> Team:
    """Change `name` or `description`. Locks the team.

    Raises `NotFound`, `NotAllowed`, `Invalid`, `Conflict`.
    """
    team = lock_team(team_id, by=by)
    unknown = changes.keys() - _CLEAN.keys()
    if unknown:
        raise Invalid(
            fields={field: ["This field of a team cannot be changed."] for field in sorted(unknown)}
        )
    values = {field: _CLEAN[field](value) for field, value in changes.items()}
    changed = {
        field: [getattr(team, field), value]
        for field, value in values.items()
        if getattr(team, field) != value
    }
    if not changed:
        return team
    for field, (_, value) in changed.items():
        setattr(team, field, value)
    _save(team, update_fields=sorted(changed))
    bump(CATALOG, by=by)
    record(by=by, verb="team.changed", subject_id=team.pk, changes=changed, data={"name": team.name})
    return team


@transaction.atomic
def delete_team(team_id: uuid.UUID, *, by: Caller) -> None:
    """Delete a team; its private projects are no longer seen through it. Locks the team.

    Raises `NotFound`, `NotAllowed`.
    """
    team = lock_team(team_id, by=by)
    Team.objects.filter(pk=team.pk).delete()
    bump(CATALOG, RIGHTS, by=by)
    record(by=by, verb="team.deleted", subject_id=team.pk, data={"name": team.name})


@transaction.atomic
def add_member(
    team_id: uuid.UUID, *, by: Caller, user_id: uuid.UUID, role: str = TeamRole.MEMBER
) -> TeamMembership:
    """Put an active person into a team; who is in it already gets the role. Locks the team.

    Raises `NotFound`, `NotAllowed`, `Invalid`.
    """
    team = lock_team(team_id, by=by)
    role = _clean_member_role(role)
    held = TeamMembership.objects.filter(team=team, user_id=user_id).select_related("user").first()
    if held is not None:
        return _give_role(held, role, by=by)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise Invalid(fields={"user": ["There is no such person."]})
    membership = TeamMembership.objects.create(team=team, user=user, role=role)
    _announce(membership, by=by, verb="team.member_added", change=[None, role])
    return membership


@transaction.atomic
def change_member(team_id: uuid.UUID, *, by: Caller, user_id: uuid.UUID, role: str) -> TeamMembership:
    """Make a member a lead or the other way round. Locks the team.

    Raises `NotFound`, `NotAllowed`, `Invalid`.
    """
    team = lock_team(team_id, by=by)
    return _give_role(_membership(team, user_id), _clean_member_role(role), by=by)


@transaction.atomic
def remove_member(team_id: uuid.UUID, *, by: Caller, user_id: uuid.UUID) -> None:
    """Take a person out of a team. Locks the team. Raises `NotFound`, `NotAllowed`."""
    membership = _membership(lock_team(team_id, by=by), user_id)
    TeamMembership.objects.filter(pk=membership.pk).delete()
    _announce(membership, by=by, verb="team.member_removed", change=[membership.role, None])


def find_team(team_id: uuid.UUID, *, by: Caller) -> Team:
    """Return a team that the caller sees. Raises `NotFound`."""
    team = Team.objects.filter(pk=team_id).first()
    if team is None or not policy.sees_team(by.user, team):
        raise NotFound
    return team


def find_managed_team(team_id: uuid.UUID, *, by: Caller) -> Team:
    """Return a team that the caller may change. Raises `NotFound`, `NotAllowed`."""
    team = find_team(team_id, by=by)
    _require_managing(team, by=by)
    return team


def lock_team(team_id: uuid.UUID, *, by: Caller) -> Team:
    """Lock and return a team that the caller may change. Raises `NotFound`, `NotAllowed`."""
    team = Team.objects.select_for_update(no_key=True).filter(pk=team_id).first()
    if team is None or not policy.sees_team(by.user, team):
        raise NotFound
    _require_managing(team, by=by)
    return team


def _require_managing(team: Team, *, by: Caller) -> None:
    allowed = policy.can_manage_team(by.user, team)
    policy.require(allowed=allowed, message="You may change only teams that you lead.")


def _membership(team: Team, user_id: uuid.UUID) -> TeamMembership:
    membership = TeamMembership.objects.filter(team=team, user_id=user_id).select_related("user").first()
    if membership is None:
        raise NotFound
    return membership


def _give_role(membership: TeamMembership, role: str, *, by: Caller) -> TeamMembership:
    before = membership.role
    if before != role:
        membership.role = role
        membership.save(update_fields=["role"])
        _announce(membership, by=by, verb="team.member_changed", change=[before, role])
    return membership


def _clean_member_role(role: object) -> str:
    if role not in TeamRole.values:
        raise Invalid(fields={"role": [f"One of {', '.join(TeamRole.values)}."]})
    return str(role)


def _announce(membership: TeamMembership, *, by: Caller, verb: str, change: list[str | None]) -> None:
    bump(RIGHTS, by=by)
    user = {"id": str(membership.user_id), "name": membership.user.name}
    record(by=by, verb=verb, subject_id=membership.team_id, changes={"role": change}, data={"user": user})


def _save(team: Team, **how: Any) -> None:
    try:
        with transaction.atomic():
            team.save(**how)
    except IntegrityError:
        taken = {"fields": {"name": ["There is a team with this name."]}}
        raise Conflict("There is a team with this name.", details=taken) from None
