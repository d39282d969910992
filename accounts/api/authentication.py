"""Who asks: by access token, or by the session of a page with its CSRF token.

Role and rights are those of the database now; a token only names its person and its family.
"""

from typing import Any, cast

from django.http import HttpRequest, QueryDict
from rest_framework import authentication
from rest_framework.request import Request

from accounts.identity import Identity, identity_from_access_token
from accounts.models import User
from tracker.errors import Unauthenticated


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>`; account, family and versions of caches in one query."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        """Return whose token it is; None where none was sent. Raises `Unauthenticated` for a bad one."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip():
            raise Unauthenticated("The token is missing.")
        identity = identity_from_access_token(token.strip())
        return identity.user, identity

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie; what changes something also needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        """Return who is signed in on the pages; None where nobody is. Refuses a missing CSRF token."""
        http_request = request._request  # the framework offers no other way to Django's request
        user = getattr(http_request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        self.enforce_csrf(cast("Any", _HeadersOnly(http_request)))
        return user, Identity(user, session_key=http_request.session.session_key)


class _HeadersOnly:
    """A request of which the token's check reads the headers alone: a form's body comes after 404 and 403."""

    POST = QueryDict()

    def __init__(self, request: HttpRequest) -> None:
        self.__dict__["_request"] = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._request, name, value)
