"""The size of a request, by its header, before a byte of its body is read."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tracker.api.parsers import content_length
from tracker.files.limits import form_limit_bytes
from tracker.web import errors


class BodyLimitMiddleware:
    """Refuses what declares more than a file of its path and the form around it.

    JSON has its own limit, after 404 and 403.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413, or go on."""
        if content_length(request) > form_limit_bytes(request.path_info):
            return errors.failure_reply(request, 413)
        return self.get_response(request)
