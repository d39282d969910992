"""Sending a stored file: whole or a range of it, conditional, and in a form that no browser runs."""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from tracker.api import conditions, errors
from tracker.files.kinds import INLINE
from tracker.files.storage import chunks_of, size_of
from tracker.web.streaming import stream

NOT_KEPT: Final = "private, no-store"
KEPT_FOR_EVER: Final = "private, max-age=31536000, immutable"
_RANGE: Final = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is sent, and as what. `etag` is a hash of the content."""

    key: str
    filename: str
    content_type: str
    etag: str
    cache: str = NOT_KEPT


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a file: the first one, and how many."""

    start: int
    length: int


def send_file(request: HttpRequest, stored: StoredFile) -> HttpResponseBase:
    """Return the file, 304, 206 or 416. Whether the reader may have it was settled before."""
    if _has_already(request, stored.etag):
        return _with_headers(HttpResponse(status=304), stored)
    size_bytes = size_of(stored.key)
    span = _span(request, stored.etag, size_bytes)
    if span is None:
        return _unsatisfiable(request, size_bytes)
    if settings.FILES_ACCEL_PREFIX:
        return _handed_over(stored)
    response = _body(request, stored, span)
    response["Content-Length"] = str(span.length)
    if span.length != size_bytes:
        response.status_code = 206
        response["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{size_bytes}"
    return _with_headers(response, stored)


def _body(request: HttpRequest, stored: StoredFile, span: Span) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(content_type=stored.content_type)
    pieces = chunks_of(stored.key, start=span.start, length=span.length)
    return StreamingHttpResponse(stream(request, pieces), content_type=stored.content_type)


def _handed_over(stored: StoredFile) -> HttpResponse:
    """Leave the sending to the proxy in front: it reads the file, and answers ranges."""
    response = HttpResponse(content_type=stored.content_type)
    response["X-Accel-Redirect"] = settings.FILES_ACCEL_PREFIX + stored.key
    _with_headers(response, stored)
    del response["ETag"]  # the proxy has one of its own, by which it knows its ranges
    return response


def _with_headers(response: HttpResponseBase, stored: StoredFile) -> HttpResponseBase:
    is_inline = stored.content_type in INLINE
    if stored.content_type.startswith("text/"):
        response["Content-Type"] = f"{stored.content_type}; charset=utf-8"
    else:
        response["Content-Type"] = stored.content_type
    disposition = content_disposition_header(as_attachment=not is_inline, filename=stored.filename)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = stored.cache
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = conditions.quote(stored.etag)
    return response


def _has_already(request: HttpRequest, etag: str) -> bool:
    header = request.headers.get("If-None-Match")
    return header is not None and conditions.matches(header, etag)


def _span(request: HttpRequest, etag: str, size_bytes: int) -> Span | None:
    """Return what is asked for: the whole where no single range is; None where the file has no such bytes."""
    whole = Span(0, size_bytes)
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or not (found[1] or found[2]) or not _is_of_this_state(request, etag):
        return whole
    if not found[1]:
        length = min(int(found[2]), size_bytes)
        return Span(size_bytes - length, length) if length else None
    start, end = int(found[1]), int(found[2]) if found[2] else size_bytes - 1
    if found[2] and end < start:
        return whole  # not a range at all
    return Span(start, min(end, size_bytes - 1) - start + 1) if start < size_bytes else None


def _is_of_this_state(request: HttpRequest, etag: str) -> bool:
    """Whether a range belongs to the state that the reader has a part of: `If-Range` with the strong tag."""
    header = request.headers.get("If-Range")
    return header is None or header.strip() == conditions.quote(etag)


def _unsatisfiable(request: HttpRequest, size_bytes: int) -> HttpResponse:
    sentence = f"The file has {size_bytes} bytes; this range is not among them."
    headers = {"Content-Range": f"bytes */{size_bytes}"}
    return errors.reply(errors.Refusal(416, "E_VALIDATION", sentence, headers=headers), request=request)
