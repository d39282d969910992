"""Counts that all processes share, without anybody waiting for Redis.

A process counts at once in its own memory. Where Redis is configured, a thread adds what was counted here
to the sum of all, a few times a second, and brings the sum back. A limit may therefore be passed by what the
other processes counted in that quarter of a second; while Redis is away each process counts alone.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from tracker.redis import FAILURES, breaker, client, prefix

EXCHANGE_SECONDS: Final = 0.25
MOST_KEYS: Final = 20_000


@dataclass(slots=True)
class Count:
    """What is known of one key: the sum of all processes, and what this one has not told yet."""

    ends_at: float
    shared: int = 0
    untold: int = 0


class Counters:
    """The counts of a process. All public methods may be called from any thread, and none waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}
        self._changed = threading.Event()
        self._pid = 0

    def increment(self, key: str, *, lifetime_seconds: int) -> int:
        """Count one more and return how many that makes within `lifetime_seconds` of the first."""
        with self._lock:
            count = self._counts.get(key)
            if count is None or count.ends_at < time.time():
                self._forget()
                count = self._counts[key] = Count(ends_at=time.time() + lifetime_seconds)
            count.untold += 1
            result = count.shared + count.untold
        if settings.SHARES_COUNTERS:
            self._start()
            self._changed.set()
        return result

    def clear(self) -> None:
        """Forget what this process counted."""
        with self._lock:
            self._counts.clear()

    def exchange(self, redis: Any) -> None:
        """Tell Redis what was counted here, and learn the sums. Raises what Redis fails with."""
        told = self._untold()
        if not told:
            return
        with redis.pipeline(transaction=False) as pipeline:
            for key, (number, seconds) in told.items():
                pipeline.incrby(f"{prefix()}.{key}", number)
                pipeline.expire(f"{prefix()}.{key}", seconds)
            sums = pipeline.execute()[::2]
        with self._lock:
            for (key, (number, _)), total in zip(told.items(), sums, strict=True):
                if count := self._counts.get(key):
                    count.shared = total
                    count.untold -= number

    def _untold(self) -> dict[str, tuple[int, int]]:
        """Return of each key what Redis does not know yet, and how many seconds it has left."""
        now = time.time()
        with self._lock:
            return {
                key: (count.untold, int(count.ends_at - now) + 1)
                for key, count in self._counts.items()
                if count.untold and count.ends_at > now
            }

    def _forget(self) -> None:
        """Make room: drop what is over, else everything. Called with the lock held."""
        if len(self._counts) < MOST_KEYS:
            return
        now = time.time()
        self._counts = {key: count for key, count in self._counts.items() if count.ends_at > now}
        if len(self._counts) >= MOST_KEYS:
            self._counts = {}

    def _start(self) -> None:
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():  # also after a fork
                self._pid, self._changed = os.getpid(), threading.Event()
                threading.Thread(target=self._run, name="counters", daemon=True).start()

    def _run(self) -> None:
        changed, redis = self._changed, client()
        while True:
            changed.wait()
            changed.clear()
            if breaker.may_try():
                _guarded(lambda: self.exchange(redis))
            time.sleep(EXCHANGE_SECONDS)


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
        breaker.answered()
    except FAILURES as error:
        breaker.failed(error)


counters: Final = Counters()
"""The ones of this process."""
