"""Many at once: threads with database connections of their own that start together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(count: int, action: Callable[[int], Result]) -> list[Result]:
    """Run `action(0)` … `action(count - 1)` in threads that begin at once; return what they return."""
    gate = Barrier(count, timeout=30)

    def run(number: int) -> Result:
        try:
            gate.wait()
            return action(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(run, range(count)))
