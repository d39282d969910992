"""Data to JSON bytes, and the reply around them."""

import re
import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise

from tracker.clock import iso

_WORTH_BYTES: Final = 2_048
_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31
_REFUSED: Final = re.compile(r"q\s*=\s*0(\.0*)?")


def to_json(data: Any) -> bytes:
    """Return `data` as the API writes it: times in UTC with milliseconds, decimals as numbers."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def json_reply(data: Any, *, status: int = 200) -> HttpResponse:
    """Return a reply with `data` as its body."""
    content = to_json(data)
    response = HttpResponse(content, content_type="application/json", status=status)
    response["Content-Length"] = str(len(content))
    return response


def compress(response: HttpResponse, *, accepted: str) -> None:
    """Compress a large reply for a client that takes gzip, at the cheapest level: a list of 50 to a sixth.

    For lists alone. They hold no secret that a caller's own text beside it could spell out by their length.
    """
    patch_vary_headers(response, ["Accept-Encoding"])
    if len(response.content) < _WORTH_BYTES or not _takes_gzip(accepted):
        return
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    response.content = packing.compress(response.content) + packing.flush()
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        if name == "gzip":
            return not any(_REFUSED.fullmatch(option) for option in options)
    return False


def number(value: Decimal | None) -> int | float | None:
    """Return a decimal as JSON writes it: 3 for 3.00, 2.5 for 2.50."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
