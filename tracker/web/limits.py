"""The size of a request, by its header, before a byte of its body is read."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from tracker.api.parsers import content_length
from tracker.web import errors

MAX_BODY_BYTES: Final = 26 * 1024 * 1024
"""A file of 25 MiB and the form around it. JSON bodies have their own limit, after 404 and 403."""


class BodyLimitMiddleware:
    """Refuses what declares more than any view takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413, or go on."""
        if content_length(request) > MAX_BODY_BYTES:
            return errors.failure_reply(request, 413)
        return self.get_response(request)
