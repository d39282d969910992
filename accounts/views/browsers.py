"""What a browser is told when somebody signs in: session, language, and where to go."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from tracker.api.errors import STATUSES
from tracker.errors import DomainError, RateLimited
from tracker.web.errors import add_to_form


def welcome(request: HttpRequest, user: User, *, to: str = "") -> HttpResponse:
    """Begin a session under a new key and go to `to`, where that is a page of this host."""
    login(request, user)
    return speak_language_of(user, HttpResponseRedirect(safe_target(request, to)))


def speak_language_of(user: User, response: HttpResponse) -> HttpResponse:
    """Let the browser remember the language of an account."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        user.language,
        max_age=365 * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )
    return response


def safe_target(request: HttpRequest, to: str) -> str:
    """Return `to` where it leads to this host, else the start page."""
    is_safe = url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=request.is_secure())
    return to if to and is_safe else str(settings.LOGIN_REDIRECT_URL)


def refused(
    request: HttpRequest,
    template: str,
    form: BaseForm,
    error: DomainError | None = None,
    *,
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return the form again with what is wrong; passwords are not written back."""
    status = 400
    if error is not None:
        add_to_form(form, error)
        status = STATUSES.get(error.code, 400)
    response = render(request, template, {"form": form, **(context or {})}, status=status)
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.retry_after_seconds)
    return response
