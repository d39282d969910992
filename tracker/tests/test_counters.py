"""Counts that processes share through Redis, and what they do without."""

import socket
import threading
import uuid
from typing import Any

import pytest
import redis
import time_machine

from tracker.counters import Counters
from tracker.redis import FAILURES, Breaker, client


def test_a_key_counts_within_its_lifetime() -> None:
    counters = Counters()
    with time_machine.travel("2026-01-01", tick=False) as clock:
        assert [counters.increment("a", lifetime_seconds=60) for _ in range(3)] == [1, 2, 3]
        assert counters.increment("b", lifetime_seconds=60) == 1
        clock.shift(61)
        assert counters.increment("a", lifetime_seconds=60) == 1


def test_threads_lose_no_count() -> None:
    counters = Counters()
    threads = [
        threading.Thread(target=lambda: [counters.increment("a", lifetime_seconds=60) for _ in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counters.increment("a", lifetime_seconds=60) == 4001


@pytest.mark.redis
def test_processes_learn_of_each_other() -> None:
    key = uuid.uuid4().hex
    here, there = Counters(), Counters()
    with client() as connection:
        for _ in range(3):
            here.increment(key, lifetime_seconds=5)
        here.exchange(connection)
        assert there.increment(key, lifetime_seconds=5) == 1  # it has not asked yet
        there.exchange(connection)
        here.exchange(connection)  # it has nothing to tell, so it asks nothing

        assert there.increment(key, lifetime_seconds=5) == 5
        here.increment(key, lifetime_seconds=5)
        here.exchange(connection)
        assert here.increment(key, lifetime_seconds=5) == 6


def test_what_could_not_be_told_is_told_later() -> None:
    counters = Counters()
    counters.increment("a", lifetime_seconds=60)

    class Away:
        def pipeline(self, **_: Any) -> Any:
            raise redis.ConnectionError

    with pytest.raises(FAILURES):
        counters.exchange(Away())

    assert counters._untold()["a"][0] == 1
    assert counters.increment("a", lifetime_seconds=60) == 2


def test_after_a_failure_one_in_five_seconds_may_try(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [100.0]
    monkeypatch.setattr("tracker.redis.time.monotonic", lambda: moment[0])
    breaker = Breaker()

    assert breaker.may_try()
    breaker.failed(redis.ConnectionError())
    assert not breaker.may_try()
    moment[0] += 6
    assert [breaker.may_try() for _ in range(3)] == [True, False, False]
    breaker.answered()
    assert [breaker.may_try() for _ in range(3)] == [True, True, True]


def test_a_redis_that_hangs_or_refuses_is_given_up(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with client() as connection, pytest.raises(FAILURES):
            connection.ping()
    with client() as connection, pytest.raises(FAILURES):
        connection.ping()
