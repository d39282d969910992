"""Who is at the other end, and whether that still holds: for sockets and event streams, which live longer
than a request.

An identity hangs on a token family (an API client's sign-in) or on a session (a browser's). It is over
when that one is, when the account is deactivated and when the password changes.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import F, QuerySet
from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.services.tickets import redeem_ticket
from accounts.tokens import TokenType, decode
from tracker import clock
from tracker.errors import Unauthenticated
from tracker.versions import with_versions


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as they were when they signed in or were last looked at, and what the sign-in hangs on."""

    user: User
    family_id: uuid.UUID | None = None
    session_key: str | None = None


def identity_from_access_token(text: str) -> Identity:
    """Return whose access token this is, in one query. Raises `Unauthenticated`."""
    claims = decode(TokenType.ACCESS, text)
    user = users_of_families([claims.family_id]).filter(pk=claims.user_id).first()
    if user is None:
        raise Unauthenticated("The token is not valid, or has expired.")
    return Identity(user, family_id=claims.family_id)


def identity_from_ticket(text: str) -> Identity:
    """Use a ticket up and return whose it is. Raises `Unauthenticated`."""
    ticket = redeem_ticket(text)
    if ticket.family_id is None:
        return identity_from_session(ticket.session_key)
    user = users_of_families([ticket.family_id]).first()
    if user is None:
        raise Unauthenticated("This sign-in is over.")
    return Identity(user, family_id=ticket.family_id)


def identity_from_session(session_key: str | None) -> Identity:
    """Return who is signed in by a session, in two queries. Raises `Unauthenticated`."""
    user = _users_of_sessions([session_key]).get(session_key) if session_key else None
    if user is None:
        raise Unauthenticated
    return Identity(user, session_key=session_key)


def still_valid(identity: Identity) -> User | None:
    """Return the person as they are now, with the versions of the caches; None when the sign-in is over."""
    return valid_users([identity]).get(identity)


def valid_users(identities: Collection[Identity]) -> dict[Identity, User]:
    """Return the people, as they are now, whose sign-in is not over; at most three queries for all of them.

    The same person is one object however many sockets there are of one family or session.
    """
    families = {identity.family_id for identity in identities if identity.family_id}
    by_family = {user.family_id: user for user in users_of_families(families)} if families else {}
    keys = {identity.session_key for identity in identities if identity.session_key}
    by_session = _users_of_sessions(keys) if keys else {}
    found: dict[Identity, User] = {}
    for identity in identities:
        user = by_family.get(identity.family_id) or by_session.get(identity.session_key)
        if user is not None and user.pk == identity.user.pk:
            found[identity] = user
    return found


def users_of_families(family_ids: Collection[uuid.UUID]) -> QuerySet[Any]:
    """Return the active people of families that are not over, each with its `family_id` and the versions."""
    users = User.objects.filter(
        is_active=True, token_families__in=list(family_ids), token_families__ended_at__isnull=True
    )
    return with_versions(users.annotate(family_id=F("token_families__pk")))


def _users_of_sessions(keys: Collection[str | None]) -> dict[str | None, User]:
    rows = Session.objects.filter(
        pk__in=[key for key in keys if key and key.isascii() and key.isalnum()], expire_date__gt=clock.now()
    )
    contents: dict[str, dict[str, Any]] = {row.session_key: row.get_decoded() for row in rows}
    ids = {_parse(content.get(SESSION_KEY)) for content in contents.values()} - {None}
    users = (
        {user.pk: user for user in with_versions(User.objects.filter(pk__in=ids, is_active=True))}
        if ids
        else {}
    )
    found: dict[str | None, User] = {}
    for key, content in contents.items():
        user = users.get(_parse(content.get(SESSION_KEY)))
        if user is not None and _has_password_of(user, content):
            found[key] = user
    return found


def _has_password_of(user: User, content: dict[str, Any]) -> bool:
    return constant_time_compare(str(content.get(HASH_SESSION_KEY, "")), user.get_session_auth_hash())


def _parse(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None
