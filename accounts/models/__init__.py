"""People, teams, and how they sign in."""

from accounts.models.setup import SetupLink, SetupState
from accounts.models.team import Team, TeamMembership, TeamRole
from accounts.models.token import RefreshToken, SignInAttempt, SocketTicket, TokenFamily
from accounts.models.user import ExternalIdentity, Role, RoleDefault, User, fold_email, new_stamp

__all__ = [
    "ExternalIdentity",
    "RefreshToken",
    "Role",
    "RoleDefault",
    "SetupLink",
    "SetupState",
    "SignInAttempt",
    "SocketTicket",
    "Team",
    "TeamMembership",
    "TeamRole",
    "TokenFamily",
    "User",
    "fold_email",
    "new_stamp",
]
