"""The size of a request, by its header, before a byte of its body is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tracker.api.parsers import content_length
from tracker.web import errors


def max_body_bytes() -> int:
    """Return the size of one upload and the form around it. JSON has its own limit, after 404 and 403."""
    return (settings.MAX_UPLOAD_MIB + 1) * 1024 * 1024


class BodyLimitMiddleware:
    """Refuses what declares more than any view takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413, or go on."""
        if content_length(request) > max_body_bytes():
            return errors.failure_reply(request, 413)
        return self.get_response(request)
