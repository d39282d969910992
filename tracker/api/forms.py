"""multipart/form-data, where a view takes it: fields as texts, files as uploads."""

import hashlib
from typing import IO, Any, Final, cast

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from tracker.api.parsers import content_length
from tracker.errors import Invalid, Unsupported

MULTIPART: Final = "multipart/form-data"
_Form = tuple[QueryDict, MultiValueDict[str, Any]]


def read_form(request: HttpRequest) -> dict[str, Any]:
    """Return fields and files by name, the last of a repeated one. Raises Unsupported, Invalid."""
    fields, files = _load(request)
    if not fields and not files and not _is_empty_form(request):
        raise Invalid("The form is malformed.")
    for name, values in fields.lists():
        if "\x00" in name or any("\x00" in value for value in values):
            raise Invalid("A text holds a NUL character.")
    return {**fields.dict(), **{name: files[name] for name in files}}


def hash_form(request: HttpRequest) -> str:
    """Return the hash of a form: its fields, and name and content of its files."""
    fields, files = _load(request)
    digest = hashlib.sha256()
    for name, values in sorted(fields.lists()):
        digest.update(repr((name, values)).encode())
    for name, uploads in sorted(files.lists()):
        for upload in uploads:
            content = hashlib.sha256()
            for chunk in upload.chunks():
                content.update(chunk)
            upload.seek(0)
            digest.update(repr((name, upload.name, content.hexdigest())).encode())
    return digest.hexdigest()


def _is_empty_form(request: HttpRequest) -> bool:
    """Whether the body is nothing but the closing boundary; of anything else something must have come."""
    closing = len((request.content_params or {}).get("boundary", "")) + 4
    return content_length(request) in {closing, closing + 2}


def _load(request: HttpRequest) -> _Form:
    held: _Form | None = getattr(request, "_api_form", None)
    if held is None:
        held = _parse(request)
        request._api_form = held  # type: ignore[attr-defined]  # a form can be read once
    return held


def _parse(request: HttpRequest) -> _Form:
    if request.content_type != MULTIPART:
        raise Unsupported("Send the body as multipart/form-data.")
    if request.method == "POST":
        return request.POST, request.FILES
    # Django parses forms of POST alone
    try:
        parsed = MultiPartParser().parse(
            cast("IO[bytes]", request),  # it has the read() that is asked for
            media_type=request.META.get("CONTENT_TYPE", ""),
            parser_context={"request": request, "encoding": "utf-8"},
        )
    except ParseError:
        raise Invalid("The form is malformed.") from None
    return parsed.data, parsed.files
