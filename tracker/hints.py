"""Messages that a row of work waits, sent to the workers from a thread of its own.

They carry a kind and an id and may be lost: rows that are due are told again. Nobody waits for the broker.
"""

import logging
import os
import threading
import uuid
from collections import OrderedDict
from time import monotonic
from typing import Final

from kombu.exceptions import OperationalError

from tracker.celery import app
from tracker.redis import breaker

TASK: Final = "tracker.tasks.do_work"
AGAIN_SECONDS: Final = 5.0
MOST_WAITING: Final = 1000
_log = logging.getLogger(__name__)
_Hint = tuple[str, uuid.UUID]


class Sender:
    """Sends hints. What is told again and again is not sent more often than each `AGAIN_SECONDS`."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: OrderedDict[_Hint, None] = OrderedDict()
        self._sent: OrderedDict[_Hint, float] = OrderedDict()
        self._pid = 0

    def send(self, hint: _Hint, *, is_news: bool) -> None:
        """Ask for a hint to be sent; never waits."""
        with self._lock:
            if self._pid != os.getpid():  # also after a fork
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="hint-sender", daemon=True).start()
            self._forget_old()
            if (is_news or hint not in self._sent) and len(self._waiting) < MOST_WAITING:
                self._waiting[hint] = None
                self._lock.notify()

    def _forget_old(self) -> None:
        old = monotonic() - AGAIN_SECONDS
        while self._sent and next(iter(self._sent.values())) < old:
            self._sent.popitem(last=False)

    def take(self) -> _Hint:
        """Wait for a hint and return it."""
        with self._lock:
            self._lock.wait_for(lambda: bool(self._waiting))
            hint, _ = self._waiting.popitem(last=False)
            self._sent[hint] = monotonic()
            self._sent.move_to_end(hint)
            return hint

    def publish(self, kind: str, row_id: uuid.UUID) -> None:
        """Send a hint, or let it be while the broker is away."""
        if not breaker.may_try():
            return
        try:
            app.send_task(TASK, args=[kind, str(row_id)], retry=False, ignore_result=True)
            breaker.answered()
        except (OperationalError, OSError) as error:
            breaker.failed(error)
        except Exception:  # noqa: BLE001  the thread's end would leave everything to the sweep
            _log.exception("a hint could not be sent")

    def _run(self) -> None:
        while True:
            self.publish(*self.take())


_sender: Final = Sender()


def send(kind: str, row_id: uuid.UUID, *, is_news: bool = True) -> None:
    """Tell the workers that a row waits; may be lost. Not news: whoever looks for due rows found it again."""
    _sender.send((kind, row_id), is_news=is_news)
