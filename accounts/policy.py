"""Who may do what with people and teams."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import Role, Team, User
from accounts.rights import rights_of
from tracker.errors import NotAllowed

_MAINTAINER = ["create_team"]
_ADMIN = [*_MAINTAINER, "manage_users", "manage_teams", "view_audit"]

ROLE_PERMISSIONS: Mapping[str, Sequence[str]] = {
    Role.REPORTER: [],
    Role.DEVELOPER: [],
    Role.MAINTAINER: _MAINTAINER,
    Role.ADMIN: _ADMIN,
}


def can_manage_users(user: Any) -> bool:
    """Create, change and deactivate accounts, and set roles."""
    return rights_of(user).may("accounts.manage_users")


def can_create_team(user: Any) -> bool:
    """Make a team."""
    return rights_of(user).may("accounts.create_team")


def sees_team(user: Any, team: Team) -> bool:
    """Own teams; all of them with the permission to manage them."""
    rights = rights_of(user)
    return rights.may("accounts.manage_teams") or team.pk in rights.team_ids


def can_manage_team(user: Any, team: Team) -> bool:
    """Change a team and its members: whoever leads it and may create teams, or manages all."""
    rights = rights_of(user)
    return rights.may("accounts.manage_teams") or (
        rights.may("accounts.create_team") and team.pk in rights.led_team_ids
    )


def can_see_account(user: Any, account: User) -> bool:
    """The whole account with address and role: oneself, or who manages users."""
    return account.pk == rights_of(user).user_id or can_manage_users(user)


def require(*, allowed: bool, message: str = "") -> None:
    """Refuse with `NotAllowed` unless allowed."""
    if not allowed:
        raise NotAllowed(message)
