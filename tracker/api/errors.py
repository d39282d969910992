"""Every refusal and failure below `/api/` in one shape: `{"error", "message", "details", "request_id"}`."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf

from tracker.errors import DomainError, RateLimited, Stale

log = structlog.get_logger(__name__)

STATUSES: Final[Mapping[str, int]] = {
    "E_VALIDATION": 400,
    "E_UNAUTHENTICATED": 401,
    "E_FORBIDDEN": 403,
    "E_NOT_FOUND": 404,
    "E_METHOD": 405,
    "E_NOT_ACCEPTABLE": 406,
    "E_CONFLICT": 409,
    "E_GONE": 410,
    "E_STALE": 412,
    "E_TOO_LARGE": 413,
    "E_UNSUPPORTED": 415,
    "E_TRANSITION": 422,
    "E_IDEMPOTENCY": 422,
    "E_RATE_LIMITED": 429,
    "E_INTERNAL": 500,
    "E_UNAVAILABLE": 503,
}
_CODES: Final[Mapping[int, str]] = {status: code for code, status in STATUSES.items() if status != 422} | {
    422: "E_TRANSITION"
}
_MESSAGES: Final[Mapping[int, str]] = {
    400: "The request is malformed.",
    401: "Sign in first.",
    403: "You may not do this.",
    404: "There is nothing here.",
    405: "This method is not allowed here.",
    406: "Only application/json can be sent.",
    413: "The request is too large.",
    415: "This content type is not supported here.",
    416: "The file has no such bytes.",
    429: "Too many requests. Wait a little and try again.",
    500: "Something went wrong on our side. The request id names it in our log.",
    503: "The service cannot do this right now. Nothing was changed; try again shortly.",
}
RETRY_AFTER_SECONDS: Final = 5

StaleDetails = Callable[[Stale, Any], dict[str, Any]]
"""Given the refusal and the user, the object as it is now and what happened since."""

_stale_details: list[StaleDetails] = []


@dataclass(frozen=True, slots=True)
class Refusal:
    """What will be answered instead of the thing that was asked for."""

    status: int
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def on_stale(make_details: StaleDetails) -> None:
    """Register what fills the `details` of a refused version; the app that owns the object calls this."""
    _stale_details[:] = [make_details]


def refusal_of(failure: BaseException, *, request: HttpRequest, from_if_match: bool = False) -> Refusal:
    """Return what to answer for any exception; an unknown one is logged with its trace and becomes 500."""
    if isinstance(failure, Stale):
        return _stale(failure, request=request, from_if_match=from_if_match)
    if isinstance(failure, DomainError):
        return _domain(failure)
    if isinstance(failure, drf.APIException):
        return _framework(failure)
    return _known(failure) or _unknown(failure, request)


def reply(refusal: Refusal, *, request: HttpRequest) -> HttpResponse:
    """Return the refusal as JSON."""
    body = {
        "error": refusal.code,
        "message": refusal.message,
        "details": refusal.details,
        "request_id": request_id_of(request),
    }
    response = HttpResponse(
        orjson.dumps(body, default=_plain), content_type="application/json", status=refusal.status
    )
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def plain_reply(status: int, *, request: HttpRequest, message: str = "") -> HttpResponse:
    """Return the reply for a status that has nothing more to say."""
    return reply(plain_refusal(status, message), request=request)


def plain_refusal(status: int, message: str = "") -> Refusal:
    """Return the refusal of a status with its usual code, sentence and headers."""
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    code = _CODES.get(status, "E_VALIDATION" if status < 500 else "E_INTERNAL")
    return Refusal(
        status, code, message or _MESSAGES.get(status, "The request cannot be done."), headers=headers
    )


def is_database_away(failure: BaseException | None) -> bool:
    """Whether the database is locked, full, slow or gone, so that trying again later is the remedy."""
    return isinstance(failure, OperationalError | InterfaceError)


def request_id_of(request: HttpRequest) -> str:
    """Return the id that the middleware gave the request."""
    return str(getattr(request, "request_id", ""))


def handle_exception(failure: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer for views of other packages that run on REST framework's own dispatch."""
    request = context["request"]._request
    return reply(refusal_of(failure, request=request), request=request)


def _domain(failure: DomainError) -> Refusal:
    status = STATUSES.get(failure.code, 400)
    headers = plain_refusal(status).headers
    if isinstance(failure, RateLimited):
        headers["Retry-After"] = str(failure.retry_after_seconds)
    return Refusal(status, failure.code, failure.message, failure.details, headers)


def _stale(failure: Stale, *, request: HttpRequest, from_if_match: bool) -> Refusal:
    details = dict(failure.details)
    for make_details in _stale_details:
        details |= make_details(failure, getattr(request, "user", None))
    if from_if_match:
        return Refusal(412, "E_STALE", failure.message, details)
    return Refusal(409, "E_CONFLICT", failure.message, details)


def _framework(failure: drf.APIException) -> Refusal:
    status = failure.status_code
    refusal = plain_refusal(status)
    if isinstance(failure, drf.ValidationError):
        fields = field_errors(failure.detail)
        return Refusal(400, "E_VALIDATION", first_sentence(fields), {"fields": fields})
    wait = getattr(failure, "wait", None)
    if wait:
        return Refusal(429, refusal.code, refusal.message, headers={"Retry-After": str(int(wait) + 1)})
    if isinstance(failure, drf.AuthenticationFailed | drf.NotAuthenticated):
        refusal = plain_refusal(401)
    message = failure.detail if isinstance(failure.detail, str) else refusal.message
    return Refusal(refusal.status, refusal.code, str(message), headers=refusal.headers)


def _known(failure: BaseException) -> Refusal | None:
    if is_database_away(failure):
        log.warning("database_unavailable", exc_info=failure)
        return plain_refusal(503)
    if isinstance(failure, Http404 | ObjectDoesNotExist):
        return plain_refusal(404)
    if isinstance(failure, PermissionDenied):
        return plain_refusal(403)
    if isinstance(failure, RequestDataTooBig):
        return plain_refusal(413)
    if isinstance(failure, IntegrityError | ProtectedError | RestrictedError):
        log.warning("integrity_refused", exc_info=failure)
        return plain_refusal(409, "The state of the object does not allow this.")
    if isinstance(failure, DataError):
        log.warning("data_refused", exc_info=failure)
        return plain_refusal(400, "Some values are not valid.")
    if isinstance(failure, ValidationError):
        return plain_refusal(400, "; ".join(failure.messages))
    if isinstance(failure, BadRequest | SuspiciousOperation | MultiPartParserError | UnreadablePostError):
        return plain_refusal(400)
    return None


def _unknown(failure: BaseException, request: HttpRequest) -> Refusal:
    log.error("request_failed", path=request.path, request_id=request_id_of(request), exc_info=failure)
    return plain_refusal(500)


def field_errors(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Return a serializer's errors flat: `{"statuses.0.slug": ["…"]}`."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in detail.items():
            part = "" if key == "non_field_errors" else str(key)
            found |= field_errors(inner, ".".join(filter(None, (name, part))))
        return found
    if isinstance(detail, list) and any(isinstance(item, Mapping) for item in detail):
        return {
            key: texts
            for place, item in enumerate(detail)
            for key, texts in field_errors(item, f"{name}.{place}".strip(".")).items()
            if item
        }
    texts = detail if isinstance(detail, list) else [detail]
    return {name or "body": [str(text) for text in texts]}


def first_sentence(fields: Mapping[str, list[str]]) -> str:
    """Return the message that stands for a set of field errors."""
    for name, texts in fields.items():
        return f"{name}: {texts[0]}"
    return "Some values are not valid."


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value)
