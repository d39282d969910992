"""Cursors: where a page ended, signed, so that only what we wrote is read back."""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import orjson
from django.conf import settings

from tracker.errors import Invalid

_SIGNATURE_BYTES: Final = 12
_MAX_CHARACTERS: Final = 4000
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "n": Decimal,
    "u": uuid.UUID,
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a sorted list: after (or before) the row with these values; none of them is the very end."""

    sort: str
    values: tuple[Any, ...]
    backwards: bool = False

    def encode(self) -> str:
        """Return the cursor as text for a URL."""
        data = orjson.dumps([self.sort, int(self.backwards), [_pack(value) for value in self.values]])
        return base64.urlsafe_b64encode(_sign(data) + data).rstrip(b"=").decode()


def decode(text: str, *, sort: str) -> Cursor:
    """Return the cursor. Raises Invalid for one that we did not write, or wrote for another sort."""
    cursor = _read(text)
    if cursor.sort != sort:
        raise Invalid(fields={"cursor": ["This cursor belongs to another sort."]})
    return cursor


def peek(text: str) -> tuple[Any, ...]:
    """Return the values of a cursor, whatever its sort; none where it has none or is not ours."""
    try:
        return _read(text).values if text else ()
    except Invalid:
        return ()


def _read(text: str) -> Cursor:
    try:
        raw = base64.urlsafe_b64decode(text[:_MAX_CHARACTERS].encode("ascii") + b"=" * (-len(text) % 4))
        signature, data = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _sign(data)):
            raise _bad()
        found_sort, backwards, values = orjson.loads(data)
        return Cursor(found_sort, tuple(_unpack(value) for value in values), bool(backwards))
    except (binascii.Error, UnicodeEncodeError, ValueError, TypeError, KeyError, InvalidOperation):
        raise _bad() from None


def _bad() -> Invalid:
    return Invalid(fields={"cursor": ["Not a cursor of this list."]})


def _pack(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, Decimal):
        return {"n": str(value)}
    if isinstance(value, uuid.UUID):
        return {"u": value.hex}
    raise TypeError(f"{type(value).__name__} cannot be sorted by")


def _unpack(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    return _READERS[kind](text)


def _sign(data: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), data, "sha256")[:_SIGNATURE_BYTES]


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"tracker.api.cursors:" + secret.encode()).digest()
