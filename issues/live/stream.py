"""The event stream as Server-Sent Events: the frames of the sockets, as lines of text."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import orjson

from issues.events.frames import Frame
from issues.live import messages
from issues.live.asking import Granted
from issues.live.feed import Feed
from issues.live.outbox import Item, Over, Ready
from issues.live.places import Place
from issues.live.subscription import Path

COMMENT_SECONDS: Final = 15.0
_COMMENT: Final = b":\n\n"


class EventStream:
    """The content of a reply. It has a place, which it gives back when it ends or is closed unread."""

    def __init__(self, granted: Granted, place: Place) -> None:
        self._granted, self._place = granted, place

    def __aiter__(self) -> AsyncIterator[bytes]:
        return event_lines(self._granted, self._place)

    def close(self) -> None:
        """Give the place back. Called with the reply's `close`."""
        self._place.release()


async def event_lines(granted: Granted, place: Place) -> AsyncIterator[bytes]:
    """Give what a receiver is sent, until its sign-in is over or it goes; a comment every 15 s in between."""
    clock = asyncio.get_running_loop().time
    feed = Feed()
    try:
        feed.follow(granted, Path())
        yield _COMMENT  # so that the reply begins at once
        comment_at = clock() + COMMENT_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(comment_at):
                    item = await feed.next()
            except TimeoutError:
                yield _COMMENT
                comment_at = clock() + COMMENT_SECONDS
                continue
            if isinstance(item, Over):
                return
            yield lines_of(item)
    finally:
        feed.leave()
        place.release()


def lines_of(item: Item) -> bytes:
    """Return an item as the lines of one event."""
    if isinstance(item, Frame):
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (item.seq, item.event.encode(), item.json)
    name = b"ready" if isinstance(item, Ready) else b"resync"
    data = messages.ready(item) if isinstance(item, Ready) else {"type": "resync"}
    return b"event: %s\ndata: %s\n\n" % (name, orjson.dumps(data))
