"""What is answered about accounts and sign-ins."""

import uuid
from datetime import datetime
from typing import Literal, TypedDict

from accounts.models import User
from accounts.services.sessions import TokenPair

RoleWord = Literal["reporter", "developer", "maintainer", "admin"]


class Account(TypedDict):
    """A whole account, for its owner and for who manages users."""

    id: uuid.UUID
    name: str
    email: str
    role: RoleWord
    is_active: bool
    avatar_url: str | None
    time_zone: str
    language: str
    created_at: datetime
    last_login_at: datetime | None


class SignedIn(TypedDict):
    """The tokens of a sign-in, and whose it is."""

    user: Account
    access: str
    refresh: str
    token_type: Literal["Bearer"]
    expires_in: int


class Ticket(TypedDict):
    """A ticket for one WebSocket and the seconds for which it is good."""

    ticket: str
    expires_in: int


def account_row(user: User) -> Account:
    """Return an account as the API shows it."""
    return {
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "role": user.role,  # type: ignore[typeddict-item]  # a constraint of the database holds it to the four
        "is_active": user.is_active,
        "avatar_url": user.avatar_url,
        "time_zone": user.time_zone,
        "language": user.language,
        "created_at": user.created_at,
        "last_login_at": user.last_login,
    }


def signed_in(pair: TokenPair) -> SignedIn:
    """Return what an API client gets when it signs in."""
    return {
        "user": account_row(pair.user),
        "access": pair.access,
        "refresh": pair.refresh,
        "token_type": "Bearer",
        "expires_in": pair.expires_in_seconds,
    }
