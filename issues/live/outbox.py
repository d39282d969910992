"""What waits to be sent to one client: bounded, so that a client that does not read costs nobody anything."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from issues.events.frames import Frame

if TYPE_CHECKING:
    from issues.live.subscription import Subscription

MAX_BYTES: Final = 4 * 1024 * 1024
ROOM_BYTES: Final = 256 * 1024
CONTROL_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything up to here was sent; from now on live."""

    seq: int
    log: str


@dataclass(frozen=True, slots=True)
class Resync:
    """What the client has may be wrong: it fetches its lists again."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The receiver lacks too much for the reader: it reads on by itself, and asks again to be let in."""

    subscription: "Subscription"


@dataclass(frozen=True, slots=True)
class Over:
    """The connection ends, with this code."""

    code: int


@dataclass(frozen=True, slots=True)
class Note:
    """Another message to the client: a ping, an error, who they are."""

    json: bytes


Item = Frame | Ready | Resync | Behind | Over | Note

TOO_SLOW: Final = 4408


class Outbox:
    """A queue of one client, used in the event loop alone."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._emptier = asyncio.Event()
        self._is_over = False

    def offer(self, items: Sequence[Item]) -> None:
        """Add items. An end goes before all that waits; a client that is too far behind gets one too."""
        if self._is_over:
            return
        for item in items:
            if isinstance(item, Over):
                self.end(item.code)
                return
        self._items.extend(items)
        self._bytes += sum(_size(item) for item in items)
        if self._bytes > MAX_BYTES:
            self.end(TOO_SLOW)
        self._filled.set()

    def end(self, code: int) -> None:
        """Drop what waits, and end the connection with this code."""
        self._items.clear()
        self._items.append(Over(code))
        self._bytes, self._is_over = 0, True
        self._filled.set()
        self._emptier.set()

    async def take(self) -> Item:
        """Return the next item, waiting for it."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        self._bytes -= _size(item)
        if self._bytes < ROOM_BYTES:
            self._emptier.set()
        return item

    async def room(self) -> None:
        """Return when the client has read nearly everything."""
        while self._bytes >= ROOM_BYTES:
            self._emptier.clear()
            await self._emptier.wait()


def _size(item: Item) -> int:
    if isinstance(item, Frame):
        return len(item.json)
    return CONTROL_BYTES
