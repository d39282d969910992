"""What comes in: strict JSON, one walk over it, and the text of query strings and paths."""

import re
from collections.abc import Mapping
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

import orjson
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from tracker.errors import Invalid, TooLarge, Unsupported

MAX_JSON_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
_MAX_INTEGER: Final = 2**63 - 1
_MIN_INTEGER: Final = -(2**63)
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_json(request: HttpRequest) -> Any:
    """Return the body of a request as checked JSON.

    Raises TooLarge above 1 MiB before anything is read, Unsupported for another content type, Invalid for
    what is no JSON or holds what no field can.
    """
    if content_length(request) > MAX_JSON_BYTES:
        raise TooLarge("A JSON body may have at most 1 MiB.")
    if not media_type(request) and not content_length(request):
        raise Invalid("The body is empty.")
    if media_type(request) != "application/json":
        raise Unsupported("Send the body as application/json.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") not in {"", "identity"}:
        raise Unsupported("Send the body without a content encoding.")
    return parse_json(request.body)


def parse_json(raw: bytes) -> Any:
    """Return checked JSON: nesting ≤32, no NUL, integers of 64 bits. Raises Invalid."""
    if len(raw) > MAX_JSON_BYTES:
        raise TooLarge("A JSON body may have at most 1 MiB.")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise Invalid(f"The body is not valid JSON: {problem}.") from None
    check_values(data)
    return data


def check_values(data: Any) -> None:
    """Walk over parsed JSON without recursion; raise Invalid for depth, NUL and integers beyond 64 bits."""
    level = [data]
    depth = 0
    while level:
        containers: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, float | int):
                _check_number(value)
            elif isinstance(value, dict | list):
                containers.append(value)
        if not containers:
            return
        depth += 1
        if depth > MAX_DEPTH:
            raise Invalid(f"The body is nested more than {MAX_DEPTH} levels deep.")
        level = []
        for container in containers:
            if isinstance(container, dict):
                level.extend(container.keys())
                level.extend(container.values())
            else:
                level.extend(container)


def check_query(query: str) -> None:
    """Raise Invalid for a query string with NUL, bad percent-encoding or text that is no UTF-8."""
    if not query:
        return
    if _BAD_PERCENT.search(query):
        raise Invalid("The query string has a bad percent-encoding.")
    try:
        text = unquote_to_bytes(query.encode("latin-1", "replace")).decode()
    except UnicodeDecodeError:
        raise Invalid("The query string is not valid UTF-8.") from None
    _check_text(text)


def media_type(request: HttpRequest) -> str:
    """Return the content type without its parameters, in lower case."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def content_length(request: HttpRequest) -> int:
    """Return the declared length of the body; 0 where there is none."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise Invalid("A text holds a NUL character.")


def _check_number(value: float) -> None:
    # orjson makes floats of integers beyond 64 bits; no field takes a float of that size either
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise Invalid("A number is beyond 64 bits.")


class StrictJsonParser(BaseParser):
    """The same for views of other packages."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the stream as checked JSON."""
        return parse_json(stream.read(MAX_JSON_BYTES + 1))
