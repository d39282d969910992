"""How many requests a minute: a user 6,000, an anonymous address 120.

Counted in windows of a minute, by all processes together. Views count whom they know and refuse after the
method was found to be allowed, so that 401 and 405 come before 429; `RateLimitMiddleware` counts what no
view counted, for the address, and puts the three headers on every reply below `/api/`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tracker.counters import counters
from tracker.errors import RateLimited
from tracker.web.address import client_network
from tracker.web.paths import is_api

WINDOW_SECONDS: Final = 60
USER_LIMIT: Final = 6_000
ANONYMOUS_LIMIT: Final = 120


@dataclass(frozen=True, slots=True)
class Count:
    """Where a caller stands in the current window; `reset` is the second of the epoch at which it ends."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """Requests left in this window."""
        return max(0, self.limit - self.used)

    @property
    def is_over(self) -> bool:
        """Whether this request was one too many."""
        return self.used > self.limit


def count(request: HttpRequest, user: Any = None) -> Count:
    """Count this request once, for the user, or for the address where there is none."""
    held: Count | None = getattr(request, "rate_count", None)
    if held is None:
        if user is not None and user.is_authenticated:
            held = _hit(f"user:{user.pk}", USER_LIMIT)
        else:
            held = _hit(f"address:{client_network(request)}", ANONYMOUS_LIMIT)
        request.rate_count = held  # type: ignore[attr-defined]  # read by the middleware
    return held


def check(request: HttpRequest, user: Any = None) -> None:
    """Count this request. Raises RateLimited above the limit."""
    counted = count(request, user)
    if counted.is_over:
        raise RateLimited(retry_after_seconds=max(1, counted.reset - int(time.time())))


def _hit(who: str, limit: int) -> Count:
    window = int(time.time()) // WINDOW_SECONDS
    reset = (window + 1) * WINDOW_SECONDS
    if settings.RATE_LIMITS == "off":
        return Count(limit, 0, reset)
    used = counters.increment(f"requests:{who}:{window}", lifetime_seconds=2 * WINDOW_SECONDS)
    return Count(limit, used, reset)


class RateLimitMiddleware:
    """Puts `X-RateLimit-*` on every reply below `/api/`, whatever answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then add the headers."""
        response = self.get_response(request)
        if is_api(request):
            counted = _peek(request) if request.method == "OPTIONS" else count(request)
            response["X-RateLimit-Limit"] = str(counted.limit)
            response["X-RateLimit-Remaining"] = str(counted.remaining)
            response["X-RateLimit-Reset"] = str(counted.reset)
        return response


def _peek(request: HttpRequest) -> Count:
    # the preflight of a browser carries no identity and is not held against the address
    held: Count | None = getattr(request, "rate_count", None)
    window = int(time.time()) // WINDOW_SECONDS
    return held or Count(ANONYMOUS_LIMIT, 0, (window + 1) * WINDOW_SECONDS)
