"""Who is at the other end of a socket: by ticket, by token, or by the session of an allowed page."""

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from accounts.identity import (
    Identity,
    identity_from_access_token,
    identity_from_session,
    identity_from_ticket,
)
from tracker.errors import NotAllowed, Unauthenticated


def identity_of_request(scope: dict[str, Any]) -> Identity | None:
    """Return who connects; None where nothing says who.

    Raises `Unauthenticated` for a ticket or token that is not good, `NotAllowed` for a session that a page
    of a foreign origin brings along.
    """
    query = parse_qs(scope.get("query_string", b"").decode("latin1"))
    if ticket := query.get("ticket"):
        return identity_from_ticket(ticket[0])
    if token := query.get("token"):
        return identity_from_access_token(token[0])
    identity = _identity_of_session(scope)
    if identity is not None and not is_allowed_origin(scope):
        raise NotAllowed
    return identity


def has_credentials(scope: dict[str, Any]) -> bool:
    """Whether the request says who connects, by a ticket, a token or a cookie."""
    query = parse_qs(scope.get("query_string", b"").decode("latin1"))
    return bool(query.keys() & {"ticket", "token"}) or settings.SESSION_COOKIE_NAME in _header(
        scope, b"cookie"
    )


def has_token_in_query(scope: dict[str, Any]) -> bool:
    """Whether this is a client that names itself in the address, and may not know of `subscribe`."""
    return "token" in parse_qs(scope.get("query_string", b"").decode("latin1"))


def is_allowed_origin(scope: dict[str, Any]) -> bool:
    """Whether the page is of this host, of `BASE_URL` or of an allowed origin; other programs name none."""
    origin = _header(scope, b"origin")
    if not origin:
        return True
    allowed = {_normal(settings.BASE_URL), *(_normal(item) for item in settings.CORS_ALLOWED_ORIGINS)}
    if _normal(origin) in allowed:
        return True
    host = _hostname(f"//{_header(scope, b'host')}")
    return bool(host) and origin.startswith(("http://", "https://")) and _hostname(origin) == host


def _identity_of_session(scope: dict[str, Any]) -> Identity | None:
    try:
        cookies = SimpleCookie(_header(scope, b"cookie"))
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None
    try:
        return identity_from_session(morsel.value)
    except Unauthenticated:
        return None


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin1") for key, value in scope.get("headers", ()) if key == name), "")


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _normal(origin: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(origin)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", origin, None)
    return (parts.scheme, (parts.hostname or "").lower(), port)
