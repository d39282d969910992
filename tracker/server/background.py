"""A Celery worker and a beat in threads of the serving process.

They are started and stopped in order. Both are the classes that the commands of Celery use, without
the commands: those install signal handlers, take over standard output and configure logging.
"""

import logging
import threading
from typing import Any, Final

from celery import Celery
from celery.worker import WorkController, state
from django.db import close_old_connections, connections
from django_celery_beat.schedulers import DatabaseScheduler

from tracker.durable import go_on_working, stop_working

CONCURRENCY: Final = 2
BEAT_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10
_log = logging.getLogger(__name__)


class Background:
    """The worker and the beat of this process."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._worker: Any = None
        # Not daemons: a task is not to be torn in two when the process ends.
        self._threads = [
            threading.Thread(target=self._work, name="celery-worker"),
            threading.Thread(target=self._beat, name="celery-beat"),
        ]

    def start(self) -> None:
        """Begin to work. Logs what ends it early; the pages go on without."""
        state.should_stop = None
        go_on_working()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start nothing more, let what runs end, and return; after `STOP_SECONDS` tasks are given up."""
        self._stopping.set()
        stop_working()
        state.should_stop = 0  # type: ignore[assignment]  # the stubs know only where it begins
        for thread in reversed(self._threads):
            if thread.ident is not None:
                thread.join(STOP_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            _log.error("a task did not end in %d seconds and is given up", STOP_SECONDS)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is left running."""
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        try:
            self._worker = WorkController(
                app=self._app,
                pool="threads",
                concurrency=CONCURRENCY,
                hostname="embedded@localhost",
                without_heartbeat=True,
                without_mingle=True,
                without_gossip=True,
                loglevel="WARNING",
            )
            self._worker.start()
        except Exception:  # noqa: BLE001  the thread's end, said where it can be read
            _log.exception("the worker ended")
        finally:
            connections.close_all()

    def _beat(self) -> None:
        scheduler: Any = None
        while not self._stopping.is_set():
            try:
                close_old_connections()
                scheduler = scheduler or DatabaseScheduler(app=self._app)
                pause_seconds = min(scheduler.tick() or BEAT_SECONDS, BEAT_SECONDS)
            except Exception:  # noqa: BLE001  the database or the broker is away for a while
                _log.exception("the beat missed a turn")
                pause_seconds = BEAT_SECONDS
            self._stopping.wait(pause_seconds)
        if scheduler is not None:
            scheduler.close()
        connections.close_all()
