"""The one room for talking to Redis, which may refuse, or hang.

Nothing here is in anybody's way: no request's thread talks to Redis at all. Threads of the background do,
with short timeouts and no retries, and all of a process keep away for a while from one that did not answer.
"""

import logging
import threading
import time
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS: Final = 0.2
OPEN_SECONDS: Final = 5.0
FAILURES: Final = (redis.RedisError, OSError)
_log = logging.getLogger(__name__)


class Breaker:
    """Keeps away from what does not answer: after a failure it is left alone for `OPEN_SECONDS`."""

    def __init__(self) -> None:
        self._opened_at: float | None = None
        self._lock = threading.Lock()

    def may_try(self) -> bool:
        """Whether to talk to it now; after a failure one thread may, each `OPEN_SECONDS`."""
        with self._lock:
            if self._opened_at is None:
                return True
            if time.monotonic() < self._opened_at + OPEN_SECONDS:
                return False
            self._opened_at = time.monotonic()
            return True

    def failed(self, error: Exception) -> None:
        """Keep away from now on; the first failure in a row is logged."""
        with self._lock:
            is_first, self._opened_at = self._opened_at is None, time.monotonic()
        if is_first:
            _log.warning(
                "Redis does not answer; processes hear of each other through the database: %s", error
            )

    def answered(self) -> None:
        """Everything is well again."""
        with self._lock:
            was_open, self._opened_at = self._opened_at is not None, None
        if was_open:
            _log.info("Redis answers again")


breaker: Final = Breaker()
"""The one of this process."""


def client(timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
    """Return a client of the configured Redis that fails soon instead of trying again."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=10,
    )


def prefix() -> str:
    """Return what our keys and channels begin with: of each database its own, so that two may share Redis."""
    return f"tracker.{settings.DATABASES['default']['NAME']}"
