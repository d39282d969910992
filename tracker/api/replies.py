"""Data to JSON bytes, and the reply around them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise

from tracker.clock import iso


def to_json(data: Any) -> bytes:
    """Return `data` as the API writes it: times in UTC with milliseconds, decimals as numbers."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def json_reply(data: Any, *, status: int = 200) -> HttpResponse:
    """Return a reply with `data` as its body."""
    content = to_json(data)
    response = HttpResponse(content, content_type="application/json", status=status)
    response["Content-Length"] = str(len(content))
    return response


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
