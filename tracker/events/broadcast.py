"""Carries the nudge between processes over Redis, where Redis is configured.

Nothing here is in anybody's way: a request's thread only sets a flag. A thread publishes with short timeouts
and, where Redis does not answer, leaves it alone for a while; another listens and comes back by itself. What
is lost meanwhile costs a second, since readers of the log look by themselves.
"""

import os
import threading
from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings

from tracker.events.nudge import on_nudge
from tracker.redis import FAILURES, breaker, client, prefix

LISTEN_SECONDS: Final = 5.0


def channel() -> str:
    """Return the name of the channel."""
    return f"{prefix()}.nudge"


class Publisher:
    """Publishes nudges from a thread of its own; several in a row are one."""

    def __init__(self) -> None:
        self._pending = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._lock = threading.Lock()

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
        publisher = client()
        while True:
            pending.wait()
            pending.clear()
            if not breaker.may_try():
                continue
            try:
                publisher.publish(channel(), b"")
                breaker.answered()
            except FAILURES as error:
                breaker.failed(error)


class Listener:
    """Calls back for the nudges of other processes, from a thread of its own, until it is stopped."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nudge-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; the thread ends by itself."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except FAILURES as error:
                breaker.failed(error)
                self._stopping.wait(1.0)

    def _listen(self) -> None:
        listener = client(LISTEN_SECONDS)
        with listener, listener.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(channel())
            self._callback()  # what came while nobody listened
            while not self._stopping.is_set():
                if subscription.get_message(timeout=1.0) is not None:  # silence says nothing of Redis
                    breaker.answered()
                    self._callback()
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


_publisher: Final = Publisher()
