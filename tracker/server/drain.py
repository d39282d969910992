"""Back pressure: lets the sender of a reply wait until the client has read what was sent before.

daphne hands every reply to Twisted at once, which keeps what the client does not read, without a bound.
Twisted tells a push producer when its buffer is over 64 KiB and when it is empty again; `Drain` is such a
producer, and the server waits for it after each message.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

PATIENCE_SECONDS: Final = 30
QUEUE_BYTES: Final = 1024 * 1024


@implementer(IPushProducer)
class Drain:
    """Whether a client reads. `abort` ends its connection where it does not."""

    def __init__(self, abort: Callable[[], None]) -> None:
        self.is_given_up = False
        self._abort_connection = abort
        self._is_flowing = asyncio.Event()
        self._is_flowing.set()
        self._queued_bytes = 0

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name
        """The transport holds more than it wants to."""
        self._is_flowing.clear()

    def resumeProducing(self) -> None:  # noqa: N802  Twisted's name
        """The transport has sent everything."""
        self._queued_bytes = 0
        self._is_flowing.set()

    def stopProducing(self) -> None:  # noqa: N802  Twisted's name
        """The connection is over; nobody needs to wait."""
        self.resumeProducing()

    def count(self, size_bytes: int) -> None:
        """Count what is sent although the client does not read, and abort where that is too much."""
        if not self._is_flowing.is_set():
            self._queued_bytes += size_bytes
            if self._queued_bytes > QUEUE_BYTES:
                self._give_up()

    async def wait(self) -> None:
        """Return when the client has read; abort its connection if it has not after `PATIENCE_SECONDS`."""
        if self._is_flowing.is_set():
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._is_flowing.wait()
        except TimeoutError:
            self._give_up()

    def _give_up(self) -> None:
        self.is_given_up = True
        self._abort_connection()
