"""Carries the nudge between processes over Redis, where Redis is configured.

Nothing here is in anybody's way: a request's thread only sets a flag. A thread publishes with short timeouts
and, where Redis does not answer, leaves it alone for a while; another listens and comes back by itself. What
is lost meanwhile costs a second, since readers of the log look by themselves.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from tracker.events.nudge import on_nudge

TIMEOUT_SECONDS: Final = 0.2
LISTEN_SECONDS: Final = 5.0
OPEN_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


def channel() -> str:
    """Return the name of the channel: one for each database, so that two instances may share a Redis."""
    database = settings.DATABASES["default"]
    return f"tracker.nudge.{database['NAME']}"


class Breaker:
    """Keeps away from what does not answer: after a failure it is left alone for `OPEN_SECONDS`."""

    def __init__(self) -> None:
        self._opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether to keep away for now."""
        return self._opened_at is not None and time.monotonic() < self._opened_at + OPEN_SECONDS

    def failed(self, error: Exception) -> None:
        """Keep away from now on; the first failure in a row is logged."""
        if self._opened_at is None:
            _log.warning(
                "Redis does not answer; live updates of other processes come up to a second late: %s", error
            )
        self._opened_at = time.monotonic()

    def answered(self) -> None:
        """Everything is well again."""
        if self._opened_at is not None:
            _log.info("Redis answers again")
        self._opened_at = None


class Publisher:
    """Publishes nudges from a thread of its own; several in a row are one."""

    def __init__(self) -> None:
        self._pending = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._lock = threading.Lock()
        self._breaker = Breaker()

    def publish(self) -> None:
        """Ask for a nudge to be published; never waits."""
        if not settings.REDIS_URL:
            return
        with self._lock:
            if self._thread is None or self._pid != os.getpid():  # also after a fork
                self._pid, self._pending = os.getpid(), threading.Event()
                self._thread = threading.Thread(target=self._run, name="nudge-publisher", daemon=True)
                self._thread.start()
        self._pending.set()

    def _run(self) -> None:
        pending = self._pending
        client = _client(TIMEOUT_SECONDS)
        while True:
            pending.wait()
            pending.clear()
            if self._breaker.is_open:
                continue
            try:
                client.publish(channel(), b"")
                self._breaker.answered()
            except (redis.RedisError, OSError) as error:
                self._breaker.failed(error)


class Listener:
    """Calls back for the nudges of other processes, from a thread of its own, until it is stopped."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._stopping = threading.Event()
        self._breaker = Breaker()
        self._thread = threading.Thread(target=self._run, name="nudge-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; the thread ends by itself."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                self._breaker.failed(error)
                self._stopping.wait(1.0)

    def _listen(self) -> None:
        client = _client(LISTEN_SECONDS)
        with client, client.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(channel())
            self._callback()  # what came while nobody listened
            while not self._stopping.is_set():
                if subscription.get_message(timeout=1.0) is not None:
                    self._callback()
                self._breaker.answered()
                if subscription.connection is None:
                    raise redis.ConnectionError


def on_any_nudge(callback: Callable[[], None]) -> Callable[[], None]:
    """Call back for the nudges of this process and all others. Returns a function that ends it."""
    forget = on_nudge(callback)
    if not settings.REDIS_URL:
        return forget
    listener = Listener(callback)

    def stop() -> None:
        forget()
        listener.stop()

    return stop


def publish_nudges() -> None:
    """From now on tell the other processes of each nudge of this one. Called once, when apps are ready."""
    on_nudge(_publisher.publish)


def _client(timeout_seconds: float) -> Any:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=10,
    )


_publisher: Final = Publisher()
