"""The net under everything: no failure leaves without the form that its part of the site promises."""

from collections.abc import Callable
from typing import Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from tracker.api.parsers import check_query
from tracker.errors import Invalid
from tracker.web import errors
from tracker.web.paths import is_api, is_health

_OF_THE_PAGE: Final = frozenset({"Content-Type", "Content-Length", "Content-Security-Policy", "ETag"})


class FailureMiddleware:
    """Turns refusals of services and failures of the database into replies; no HTML below `/api/`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; a foreign host name and text that nothing can store are refused first."""
        if not is_health(request) and not _is_well_formed(request):
            return errors.failure_reply(request, 404 if "\x00" in request.path_info else 400)
        response = self.get_response(request)
        if is_api(request) and response.status_code >= 400 and not _is_json(response):
            headers = {name: text for name, text in response.items() if name not in _OF_THE_PAGE}
            return errors.failure_reply(request, response.status_code, headers=headers)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a view did not catch, where it is known."""
        return errors.domain_reply(request, exception)


def _is_well_formed(request: HttpRequest) -> bool:
    try:
        request.get_host()
        if not is_api(request):  # there the order of refusals puts it later
            check_query(request.META.get("QUERY_STRING", ""))
    except (DisallowedHost, Invalid):
        return False
    return "\x00" not in request.path_info


def _is_json(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("application/json")
