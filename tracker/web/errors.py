"""Refusals and failures as pages, or below `/api/` as JSON; the site's error handlers."""

import sys
from typing import Any, Final

import structlog
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

from tracker.api import errors as api_errors
from tracker.errors import DomainError
from tracker.web.paths import is_api

log = structlog.get_logger(__name__)

_STANDALONE: Final = frozenset({500, 503})
_TEMPLATES: Final = frozenset({400, 403, 404, 413, 429, 500, 503})


def failure_reply(
    request: HttpRequest, status: int, *, message: str = "", headers: dict[str, str] | None = None
) -> HttpResponse:
    """Return the reply for a status: JSON below `/api/`, else a page."""
    if is_api(request):
        response = api_errors.plain_reply(status, request=request, message=message)
    else:
        response = _page(request, status, message)
        if status in {429, 503}:
            response["Retry-After"] = str(api_errors.RETRY_AFTER_SECONDS)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def domain_reply(request: HttpRequest, failure: BaseException) -> HttpResponse | None:
    """Return the reply for what a service refused or the database could not do; None for anything else."""
    if not isinstance(failure, DomainError) and not api_errors.is_database_away(failure):
        return None
    refusal = api_errors.refusal_of(failure, request=request)
    if is_api(request):
        return api_errors.reply(refusal, request=request)
    return failure_reply(request, refusal.status, message=refusal.message, headers=refusal.headers)


def add_to_form(form: BaseForm, failure: DomainError) -> None:
    """Show a service's refusal on the form: at the fields that it names, else above them."""
    fields: dict[str, list[str]] = failure.details.get("fields", {})
    for name, texts in fields.items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
    if not fields:
        form.add_error(None, failure.message)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    return failure_reply(
        request,
        403,
        message=_("The form was too old or came from another site. Go back, reload the page, try again."),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 for what Django refused before a view saw it; too much data is 413."""
    return failure_reply(request, api_errors.refusal_of(exception, request=request).status)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return failure_reply(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return failure_reply(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where the database is the cause."""
    failure = sys.exc_info()[1]
    return failure_reply(request, 503 if api_errors.is_database_away(failure) else 500)


def _page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    name = f"errors/{status if status in _TEMPLATES else _nearest(status)}.html"
    context: dict[str, Any] = {
        "status": status,
        "message": message,
        "request_id": api_errors.request_id_of(request),
    }
    template = loader.get_template(name)
    if status in _STANDALONE:  # these ask nothing: no user, no session, no database
        return HttpResponse(template.render(context), status=status)
    try:
        return HttpResponse(template.render(context, request), status=status)
    except Exception:  # the page around the message may need what has just failed
        log.warning("error_page_failed", status=status, exc_info=True)
        return HttpResponse(template.render({**context, "bare": True}), status=status)


def _nearest(status: int) -> int:
    return 400 if status < 500 else 500
