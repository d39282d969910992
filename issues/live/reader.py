"""The one reader of the log in a process, and what it does for all who listen.

A thread reads new events when it is nudged, and once a second in any case. It finds out once for each
group of equal rights what they are shown, and hands the frames to the loops of the receivers. It also numbers
what a crash left without a number, and cuts off those whose sign-in or project is over.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import DatabaseError, InterfaceError, connections

from issues.events.frames import Batch
from issues.live.attachment import Attachments
from issues.live.audience import Listeners
from issues.live.subscription import Subscription, deliver
from tracker import clock
from tracker.durable import redrive
from tracker.events.broadcast import on_any_nudge
from tracker.events.numbering import head, number_events
from tracker.models import Event
from tracker.versions import current

POLL_SECONDS: Final = 1.0
CHECK_SECONDS: Final = 3.0
RETRY_SECONDS: Final = 0.5
UNNUMBERED_SECONDS: Final = 0.5
BATCH: Final = 500
TRIES: Final = 5
_log = logging.getLogger(__name__)


class LogReader:
    """Reads the log in a thread of its own. All public methods may be called from any thread."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-reader", daemon=True)
        self._forget_nudges: Callable[[], None] = lambda: None
        self._listeners = Listeners()
        self._attachments = Attachments(self._listeners)
        self._cursor: int | None = None
        self._log_id = ""
        self._checked_at = 0.0
        self._swept_at = 0.0
        self._failures = 0

    # --- from other threads --------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to read."""
        self._forget_nudges = on_any_nudge(self._wake.set)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stopping.set()
        self._wake.set()
        self._forget_nudges()
        if self._thread.is_alive():
            self._thread.join()

    def attach(self, subscription: Subscription, *, replacing: Subscription | None = None) -> None:
        """Send what the receiver lacks, `Ready`, and from then on everything new.

        In the same step `replacing` ends. One that lacks more than a batch gets `Behind` instead.
        """
        self._command(lambda: self._attachments.add(subscription, replacing))

    def detach(self, subscription: Subscription, *, then: Callable[[], None] | None = None) -> None:
        """Send nothing more; `then` is called in the reader's thread once that holds."""
        self._command(lambda: self._detach(subscription, then))

    def _command(self, command: Callable[[], None]) -> None:
        self._commands.put(command)
        self._wake.set()

    # --- in the thread -------------------------------------------------------------------------------
    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            try:
                self._turn()
                self._failures = 0
            except (DatabaseError, InterfaceError):
                self._failures += 1
                _log.warning("the log could not be read; trying again", exc_info=self._failures == 1)
                self._pause()
            except Exception:  # noqa: BLE001  a fault in one event must not end the stream for everybody
                self._failures += 1
                _log.exception("a turn of the live reader failed")
                self._pass_over()
                self._pause()
        connections.close_all()

    def _pause(self) -> None:
        connections.close_all()
        self._stopping.wait(RETRY_SECONDS)
        self._wake.set()

    def _pass_over(self) -> None:
        """After several tries leave what cannot be read behind, and let everybody fetch anew."""
        if self._failures >= TRIES:
            self._failures, self._cursor = 0, None

    def _turn(self) -> None:
        self._number_left_over()
        if self._cursor is None:
            self._begin()
        self._obey()
        if self._checked_at + CHECK_SECONDS < time.monotonic():
            self._check()
        while self._read_batch() and not self._stopping.is_set():
            self._obey()
        self._admit()

    def _begin(self) -> None:
        log = head()
        if self._cursor is None or str(log.log_id) != self._log_id or log.last_seq < self._cursor:
            self._log_id, self._cursor = str(log.log_id), log.last_seq
            deliver(self._listeners.start_over(log.last_seq))

    def _obey(self) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            command()

    def _detach(self, subscription: Subscription, then: Callable[[], None] | None) -> None:
        self._attachments.drop(subscription)
        self._listeners.remove(subscription)
        if then is not None:
            then()

    def _number_left_over(self) -> None:
        """Number what nobody has numbered for a while: its process ended between commit and number.

        Then tell the workers of rows of work that are due, for the same reason.
        """
        if time.monotonic() < self._swept_at + POLL_SECONDS:
            return
        self._swept_at = time.monotonic()
        old = clock.now() - timedelta(seconds=UNNUMBERED_SECONDS)
        if Event.objects.filter(seq__isnull=True, recorded_at__lt=old).exists():
            number_events()
        redrive()

    def _check(self) -> None:
        """See whether everybody may still listen, and whether this is still the same log."""
        self._begin()
        deliver(self._listeners.look_again(current(), everybody=True))
        self._checked_at = time.monotonic()

    def _read_batch(self) -> bool:
        """Send the next events to whoever may see them; return whether there may be more."""
        cursor = self._cursor or 0
        events = list(Event.objects.filter(seq__gt=cursor).order_by("seq")[:BATCH])
        if not events:
            return False
        if self._listeners.is_empty:
            self._cursor = events[-1].seq
            return len(events) == BATCH
        versions = current()
        deliver(self._listeners.look_again(versions, everybody=False))
        deliver(self._listeners.send(Batch.load(events, versions=versions)))
        self._cursor = events[-1].seq
        return len(events) == BATCH

    def _admit(self) -> None:
        if not self._attachments.are_waiting:
            return
        versions = current()
        deliver(self._listeners.look_again(versions, everybody=False))
        deliver(self._attachments.admit(cursor=self._cursor or 0, log_id=self._log_id, versions=versions))


_reader: LogReader | None = None
_lock = threading.Lock()


def reader() -> LogReader:
    """Return the process's reader of the log, starting it where it does not run yet."""
    global _reader
    with _lock:
        if _reader is None:
            _reader = LogReader()
            _reader.start()
        return _reader


def stop_reader() -> None:
    """End it, when the process ends or a test does; the next use starts another."""
    global _reader
    with _lock:
        held, _reader = _reader, None
    if held is not None:
        held.stop()
