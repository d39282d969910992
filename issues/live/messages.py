"""The frames of a socket that are no events, and how a client's frames are read."""

from typing import Any, Final

import orjson

from accounts.models import User
from issues.events.frames import Frame
from issues.live.outbox import Item, Note, Ready, Resync
from tracker.errors import DomainError

MAX_FRAME_BYTES: Final = 64 * 1024
PING: Final = Note(b'{"type":"ping"}')
_RESYNC: Final = b'{"type":"resync"}'


def text_of(item: Item) -> bytes:
    """Return an item as a socket sends it."""
    if isinstance(item, Frame | Note):
        return item.json
    if isinstance(item, Ready):
        return orjson.dumps(ready(item))
    if isinstance(item, Resync):
        return _RESYNC
    raise TypeError(f"{item!r} is not sent")


def ready(item: Ready) -> dict[str, Any]:
    """Return the frame that says: caught up."""
    return {"type": "ready", "seq": item.seq, "log": item.log}


def authenticated(user: User) -> Note:
    """Return the answer to `auth`."""
    return Note(orjson.dumps({"type": "authenticated", "user": {"id": str(user.pk), "name": user.name}}))


def refused(error: DomainError) -> Note:
    """Return what says that a frame was not followed."""
    return Note(orjson.dumps({"type": "error", "error": error.code, "message": error.message}))


def read_frame(text: str) -> dict[str, Any] | None:
    """Return the object that a frame holds; None where it is no JSON object."""
    try:
        frame = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    return frame if isinstance(frame, dict) else None
