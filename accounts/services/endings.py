"""How sign-ins end: token families with all their tokens, tickets, and by a new stamp the sessions."""

import uuid

from django.db import transaction

from accounts.models import SocketTicket, TokenFamily, User
from tracker import clock


@transaction.atomic
def end_family(family_id: uuid.UUID, *, reason: str) -> None:
    """End one sign-in of an API client: its access tokens, refresh token and tickets are over at once."""
    TokenFamily.objects.filter(pk=family_id, ended_at__isnull=True).update(
        ended_at=clock.now(), end_reason=reason
    )
    SocketTicket.objects.filter(family_id=family_id).delete()


@transaction.atomic
def end_everything(user: User, *, reason: str) -> None:
    """End every token family and ticket of a person.

    Part of the transaction that changes the password or the stamp of the account, which end the sessions.
    """
    TokenFamily.objects.filter(user=user, ended_at__isnull=True).update(
        ended_at=clock.now(), end_reason=reason
    )
    SocketTicket.objects.filter(user=user).delete()
