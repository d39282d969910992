"""Database work for code that runs in an event loop: a few threads, each with its own connection.

A socket or stream holds no connection: it hands over a function and waits for the result. The threads are
shared by all of them, and drop their connections when there has been nothing to do for a while.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError, connections

T = TypeVar("T")

THREADS: Final = 4
IDLE_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)
_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class DatabaseThreads:
    """Threads that run functions which read the database."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in one of the threads and return what it returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._start()
        self._jobs.put((work, loop, future))
        return await future

    def stop(self) -> None:
        """End the threads and their connections."""
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join()

    def _start(self) -> None:
        with self._lock:
            while len(self._threads) < THREADS:
                thread = threading.Thread(target=self._work, name="live-database", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        try:
            while True:
                try:
                    job = self._jobs.get(timeout=IDLE_SECONDS)
                except queue.Empty:
                    connections.close_all()
                    job = self._jobs.get()
                if job is None:
                    return
                self._do(*job)
        finally:
            connections.close_all()

    @staticmethod
    def _do(work: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]") -> None:
        if future.cancelled():
            return
        result, error = None, None
        try:
            result = _with_fresh_connection(work)
        except Exception as caught:  # noqa: BLE001  handed to who waits for it
            error = caught
        try:
            loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:
            _log.debug("the loop that waited for the database is closed")


def _with_fresh_connection(work: Callable[[], T]) -> T:
    """Run `work`; once more where the connection that was kept had died: the database was restarted."""
    try:
        return work()
    except (OperationalError, InterfaceError):
        connections.close_all()
        return work()


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


_threads = DatabaseThreads()


async def in_database(work: Callable[[], T]) -> T:
    """Run `work` in the process's database threads."""
    return await _threads.run(work)


def stop_database_threads() -> None:
    """End the threads, when the process ends or a test does."""
    _threads.stop()
