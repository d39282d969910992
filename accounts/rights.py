"""What a person may do, read from the database and kept in memory by version.

The permissions of a role are those of the group of the same name, so an admin can take one away or
give one; the memberships say which teams a person belongs to.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.contrib.auth.models import Permission

from accounts.models import TeamMembership, TeamRole, User
from tracker.versions import Versions, versions_of


@dataclass(frozen=True, slots=True)
class Rights:
    """A person's role, permissions (`app.codename`) and teams at one version of the rights."""

    user_id: uuid.UUID | None
    role: str
    permissions: frozenset[str]
    team_ids: frozenset[uuid.UUID]
    led_team_ids: frozenset[uuid.UUID]

    def may(self, permission: str) -> bool:
        """Whether the role holds the permission."""
        return permission in self.permissions


NOBODY = Rights(None, "", frozenset(), frozenset(), frozenset())


class _Cache:
    """The rights of one version; emptied when another version is seen."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.roles: dict[str, frozenset[str]] = {}
        self.people: dict[tuple[uuid.UUID, str], Rights] = {}
        self.lock = Lock()

    def at(self, version: int) -> None:
        with self.lock:
            if self.version != version or len(self.people) > 20_000:
                self.version, self.roles, self.people = version, {}, {}


_cache = _Cache()


def rights_of(user: Any) -> Rights:
    """Return the rights of an account; none for nobody, and none for one that is not active."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    _cache.at(versions_of(user).rights)
    people, roles = _cache.people, _cache.roles
    known = people.get((user.pk, user.role))
    if known is None:
        known = people[(user.pk, user.role)] = _read(user, roles)
    return known


def load_rights(users: Iterable[User], *, versions: Versions) -> None:
    """Read the rights of many people into memory, in two queries, so that `rights_of` needs none for each."""
    _cache.at(versions.rights)
    people, roles = _cache.people, _cache.roles
    missing = [user for user in users if (user.pk, user.role) not in people]
    if not missing:
        return
    teams: dict[uuid.UUID, dict[uuid.UUID, str]] = {user.pk: {} for user in missing}
    memberships = TeamMembership.objects.filter(user__in=list(teams)).values_list(
        "user_id", "team_id", "role"
    )
    for user_id, team_id, role in memberships:
        teams[user_id][team_id] = role
    for user in missing:
        people[(user.pk, user.role)] = _rights(user, roles, teams[user.pk])


def _read(user: User, roles: dict[str, frozenset[str]]) -> Rights:
    memberships = TeamMembership.objects.filter(user=user).values_list("team_id", "role")
    return _rights(user, roles, dict(memberships))


def _rights(user: User, roles: dict[str, frozenset[str]], memberships: Mapping[uuid.UUID, str]) -> Rights:
    if user.role not in roles:
        names = Permission.objects.filter(group__name=user.role).values_list(
            "content_type__app_label", "codename"
        )
        roles[user.role] = frozenset(f"{app}.{codename}" for app, codename in names)
    return Rights(
        user_id=user.pk,
        role=user.role,
        permissions=roles[user.role],
        team_ids=frozenset(memberships),
        led_team_ids=frozenset(team for team, role in memberships.items() if role == TeamRole.LEAD),
    )
