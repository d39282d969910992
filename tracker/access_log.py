"""One line for each request: method, path without its query, status, time, and who it was."""

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_log = structlog.get_logger("tracker.access")


class AccessLogMiddleware:
    """Logs each request when its reply begins. Directly inside the request id, which the line carries."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and log that."""
        start = time.perf_counter()
        response = self.get_response(request)
        log = _log.debug if _is_static(request, response) else _log.info
        log(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - start) * 1000, 1),
            user_id=_user_id(request),
        )
        return response


def _is_static(request: HttpRequest, response: HttpResponse) -> bool:
    return request.path.startswith(settings.STATIC_URL) and response.status_code < HTTPStatus.BAD_REQUEST


def _user_id(request: HttpRequest) -> str | None:
    """Return who asked, if that was found out; finding it out now would cost a query."""
    user = getattr(request, "_cached_user", None)
    if user is None:
        named = request.__dict__.get("user")
        user = None if "_wrapped" in getattr(named, "__dict__", {}) else named
    key = getattr(user, "pk", None)
    return str(key) if key else None
