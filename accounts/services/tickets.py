"""Tickets: a few random characters that open one WebSocket within 30 seconds."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Final

from django.db import transaction

from accounts.models import SocketTicket, User
from tracker import clock
from tracker.errors import Unauthenticated

LIFETIME_SECONDS: Final = 30
_PREFIX: Final = "ticket_"


@transaction.atomic
def issue_ticket(user: User, *, family_id: uuid.UUID | None = None, session_key: str | None = None) -> str:
    """Return a new ticket of a person who is signed in by this family or session.

    What it opens ends with that family or session. Only the ticket's SHA-256 is stored.
    """
    text = _PREFIX + secrets.token_urlsafe(32)
    SocketTicket.objects.create(
        digest=_digest(text),
        user=user,
        family_id=family_id,
        session_key=session_key or "",
        expires_at=clock.now() + timedelta(seconds=LIFETIME_SECONDS),
    )
    return text


def redeem_ticket(text: str) -> SocketTicket:
    """Use a ticket up and return it; of several at once one gets it. Raises `Unauthenticated`."""
    moment = clock.now()
    digest = _digest(text)
    won = SocketTicket.objects.filter(digest=digest, used_at__isnull=True, expires_at__gt=moment).update(
        used_at=moment
    )
    if not won:
        raise Unauthenticated("The ticket is not valid, was used, or has expired.")
    return SocketTicket.objects.get(digest=digest)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
