"""multipart/form-data, where a view takes it: fields as texts, files as uploads."""

import hashlib
from typing import Any, Final

from django.http import HttpRequest

from tracker.api.parsers import content_length
from tracker.errors import Invalid, Unsupported
from tracker.files.uploads import Form, read_files

MULTIPART: Final = "multipart/form-data"


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
            digest.update(repr((name, upload.name, upload.sha256)).encode())  # made while it arrived
    return digest.hexdigest()


def _is_empty_form(request: HttpRequest) -> bool:
    """Whether the body is nothing but the closing boundary; of anything else something must have come."""
    closing = len((request.content_params or {}).get("boundary", "")) + 4
    return content_length(request) in {closing, closing + 2}


def _load(request: HttpRequest) -> Form:
    held: Form | None = getattr(request, "_api_form", None)
    if held is None:
        if request.content_type != MULTIPART:
            raise Unsupported("Send the body as multipart/form-data.")
        held = read_files(request)
        request._api_form = held  # type: ignore[attr-defined]  # a form can be read once
    return held
