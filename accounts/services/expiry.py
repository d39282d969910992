"""Forgets what is over: tokens, tickets, counted attempts and sessions past their time."""

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from accounts.models import RefreshToken, SignInAttempt, SocketTicket, TokenFamily
from accounts.services.attempts import KEPT_FOR
from accounts.tokens import access_lifetime
from tracker import clock

_GRACE: Final = timedelta(minutes=5)


def forget_expired() -> int:
    """Delete what no longer decides anything; return how many rows that were. May run twice, also at once.

    A family goes when no refresh token of it is left that could be used or told to be used twice, and its
    last access token is over.
    """
    moment = clock.now()
    over = moment - access_lifetime() - _GRACE
    tokens = RefreshToken.objects.filter(family=OuterRef("pk"))
    deletions = (
        SocketTicket.objects.filter(expires_at__lt=moment - _GRACE),
        RefreshToken.objects.filter(expires_at__lt=over),
        TokenFamily.objects.filter(~Exists(tokens), created_at__lt=over),
        SignInAttempt.objects.filter(at__lt=moment - KEPT_FOR),
        Session.objects.filter(expire_date__lt=moment),
    )
    return sum(rows.delete()[0] for rows in deletions)
