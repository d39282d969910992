"""Below `/api/` every path answers with and without its trailing slash, with no redirect, in one language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from tracker.web.paths import is_api


class ApiPathMiddleware:
    """Lets the routes, which all end with a slash, find a path that has none; programs read English."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the slash to what is resolved; `request.path` stays as it was sent."""
        if is_api(request):
            translation.activate("en")  # until the next request of this thread says otherwise
            if not request.path_info.endswith("/"):
                request.path_info += "/"
        return self.get_response(request)
