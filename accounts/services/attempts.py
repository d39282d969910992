"""Limits on signing in and registering, counted in the database so that all processes share them.

The rows are written outside of the transaction of what they count: they stay when the attempt fails.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import SignInAttempt
from tracker import clock
from tracker.errors import RateLimited

SIGN_IN_WINDOW: Final = timedelta(minutes=15)
FAILURES_OF_ACCOUNT: Final = 10
FAILURES_OF_ADDRESS: Final = 100
REGISTRATION_WINDOW: Final = timedelta(hours=1)
REGISTRATIONS_OF_ADDRESS: Final = 60
KEPT_FOR: Final = timedelta(days=1)

_SIGN_IN: Final = "sign_in"
_REGISTER: Final = "register"


def require_sign_in(*, email: str, address: str, further: int = 1) -> None:
    """Refuse with `RateLimited` where `further` more failures would be too many.

    10 failures for an account and address, and 100 for an address, in 15 minutes.
    """
    if settings.RATE_LIMITS == "off":
        return
    of_address = _recent(_SIGN_IN, address, SIGN_IN_WINDOW)
    of_account = of_address.filter(account=_account(email))
    _require_room(of_account, FAILURES_OF_ACCOUNT, SIGN_IN_WINDOW, further=further)
    _require_room(of_address, FAILURES_OF_ADDRESS, SIGN_IN_WINDOW, further=further)


def note_failed_sign_in(*, email: str, address: str) -> None:
    """Count a failure; of several at once, those over the limit are told so by `RateLimited`."""
    if settings.RATE_LIMITS == "off":
        return
    SignInAttempt.objects.create(kind=_SIGN_IN, account=_account(email), address=address)
    require_sign_in(email=email, address=address, further=0)


def note_registration(*, address: str) -> None:
    """Count a registration, whatever comes of it. Raises `RateLimited` from the 61st an hour and address."""
    if settings.RATE_LIMITS == "off":
        return
    recent = _recent(_REGISTER, address, REGISTRATION_WINDOW)
    _require_room(recent, REGISTRATIONS_OF_ADDRESS, REGISTRATION_WINDOW, further=1)
    SignInAttempt.objects.create(kind=_REGISTER, address=address)
    _require_room(recent.all(), REGISTRATIONS_OF_ADDRESS, REGISTRATION_WINDOW, further=0)


def _recent(kind: str, address: str, window: timedelta) -> QuerySet[SignInAttempt]:
    return SignInAttempt.objects.filter(kind=kind, address=address, at__gt=clock.now() - window)


def _require_room(attempts: QuerySet[SignInAttempt], limit: int, window: timedelta, *, further: int) -> None:
    newest_first = attempts.order_by("-at").values_list("at", flat=True)
    times = list(newest_first[: limit + 1])
    if len(times) + further > limit:
        raise RateLimited(retry_after_seconds=_seconds_until_room(times, limit, window))


def _seconds_until_room(times: list[datetime], limit: int, window: timedelta) -> int:
    """The attempt that must leave the window is the oldest of the newest `limit`."""
    leaves_at = times[min(limit, len(times)) - 1] + window
    return max(1, int((leaves_at - clock.now()).total_seconds()) + 1)


def _account(email: str) -> str:
    return hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()
