"""The text form of access and refresh tokens: JSON Web Tokens (RFC 7519), signed with a key of their own.

A token only names things: its person, its family and itself. What the person may do is read from the
database whenever the token is used, and so is whether the family is still alive.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from tracker import clock
from tracker.errors import Unauthenticated

ISSUER: Final = "issues-and-insights"
AUDIENCE: Final = "issues-and-insights-api"
MAX_LENGTH: Final = 4096
_HEADERS: Final = frozenset({"alg", "typ"})


class TokenType(StrEnum):
    """What a token is for; one kind is never taken for the other."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    user_id: uuid.UUID
    family_id: uuid.UUID
    token_id: uuid.UUID
    expires_at: datetime


def encode(kind: TokenType, claims: Claims) -> str:
    """Return the signed text of a token."""
    payload = {
        "typ": kind.value,
        "sub": str(claims.user_id),
        "fam": str(claims.family_id),
        "jti": str(claims.token_id),
        "exp": int(claims.expires_at.timestamp()),
    }
    return _backend().encode(payload)


def decode(kind: TokenType, text: str) -> Claims:
    """Return what a token says, once signature, issuer, audience, kind and expiry hold.

    The algorithm is the configured one whatever the header says; a header that names a key is refused.
    Raises `Unauthenticated`.
    """
    claims = _verified(kind, text, settings.JWT_SIGNING_KEY, settings.JWT_PRIVATE_KEY_FILE)
    if claims.expires_at <= clock.now():
        raise Unauthenticated("The token is not valid, or has expired.")
    return claims


@lru_cache(maxsize=4096)
def _verified(kind: TokenType, text: str, _signing_key: str, _private_key_file: str) -> Claims:
    """Return what a token says. The same text under the same keys says the same until it expires, and to
    check it costs as much as reading an account: it is remembered. A refusal, an exception, is not."""
    if len(text) > MAX_LENGTH or not text.isascii():
        raise Unauthenticated("The token is not valid.")
    try:
        if not jwt.get_unverified_header(text).keys() <= _HEADERS:
            raise Unauthenticated("The token is not valid.")
        return _claims(kind, _backend().decode(text))  # type: ignore[arg-type]  # its annotation names another class
    except (
        TokenBackendError,
        jwt.PyJWTError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        raise Unauthenticated("The token is not valid, or has expired.") from error


def access_lifetime() -> timedelta:
    """Return how long an access token is good for."""
    lifetime: timedelta = settings.ACCESS_TOKEN_LIFETIME
    return lifetime


def expiry(lifetime: timedelta) -> datetime:
    """Return when a token made now expires, cut to the seconds that a token can say."""
    return (clock.now() + lifetime).replace(microsecond=0)


def _claims(kind: TokenType, payload: dict[str, Any]) -> Claims:
    if payload["typ"] != kind.value:
        raise ValueError("a token of another kind")
    return Claims(
        user_id=uuid.UUID(str(payload["sub"])),
        family_id=uuid.UUID(str(payload["fam"])),
        token_id=uuid.UUID(str(payload["jti"])),
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
    )


def _backend() -> TokenBackend:
    return _make_backend(settings.JWT_SIGNING_KEY, settings.JWT_PRIVATE_KEY_FILE)


@lru_cache(maxsize=4)
def _make_backend(signing_key: str, private_key_file: str) -> TokenBackend:
    if not private_key_file:
        return TokenBackend("HS256", signing_key, audience=AUDIENCE, issuer=ISSUER)
    pem = Path(private_key_file).read_bytes()
    public = load_pem_private_key(pem, password=None).public_key()
    verifying_key = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return TokenBackend("RS256", pem.decode(), verifying_key, audience=AUDIENCE, issuer=ISSUER)
