"""Access and refresh tokens: only our own, as we signed them, and of the right kind."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.conf import settings

from accounts import tokens
from accounts.models import Role, User
from accounts.tests.api import send
from accounts.tests.api import tokens as sign_in
from tests.make import make_user
from tracker import clock
from tracker.errors import Unauthenticated
from tracker.ids import new_id

pytestmark = pytest.mark.django_db

Claims = dict[str, Any]
KEY = settings.JWT_SIGNING_KEY


def claims_of(token: str) -> Claims:
    """What a token says, unchecked."""
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: Claims, *, key: str = KEY, headers: dict[str, Any] | None = None) -> str:
    """A token of these claims."""
    return jwt.encode(claims, key, algorithm="HS256", headers=headers)


def unsigned(claims: Claims) -> str:
    """A token that says that it has no signature."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + "."
    )


def without(name: str) -> Callable[[Claims], str]:
    """Make a token that lacks a claim."""
    return lambda claims: signed({key: value for key, value in claims.items() if key != name})


def altered(**changes: Any) -> Callable[[Claims], str]:
    """Make a token that says something else, signed with our own key."""
    return lambda claims: signed(claims | changes)


FORGED: dict[str, Callable[[Claims], str]] = {
    "no signature": unsigned,
    "another key": lambda claims: signed(claims, key="another key that is long enough for it"),
    "Django's key": lambda claims: signed(claims, key=settings.SECRET_KEY),
    "another algorithm": lambda claims: jwt.encode(claims, KEY * 2, algorithm="HS512"),
    "a key in the header": lambda claims: signed(claims, headers={"jwk": {"kty": "oct", "k": "AAAA"}}),
    "a key's address in the header": lambda claims: signed(
        claims, headers={"jku": "https://evil.example/keys"}
    ),
    "a key's name in the header": lambda claims: signed(claims, headers={"kid": "../../dev/null"}),
    "another issuer": altered(iss="somebody"),
    "another audience": altered(aud="somewhere"),
    "another kind": altered(typ="refresh"),
    "expired": altered(exp=1_000_000_000),
    "expiry of another type": altered(exp="soon"),
    "an endless expiry": altered(exp=10**30),
    "no expiry": without("exp"),
    "no issuer": without("iss"),
    "no audience": without("aud"),
    "no id": without("jti"),
    "no family": without("fam"),
    "no kind": without("typ"),
    "an id that is none": altered(sub="1"),
    "a family that is a list": altered(fam=["x"]),
    "another person": lambda claims: signed(claims | {"sub": str(new_id())}),
    "another family": lambda claims: signed(claims | {"fam": str(new_id())}),
    "cut": lambda claims: signed(claims)[:-3],
    "longer than any": lambda claims: signed(claims | {"x": "y" * 5000}),
    "no token": lambda claims: "hello",
    "three dots": lambda claims: "...",
    "not ASCII": lambda claims: "é.é.é",
    "deep": lambda claims: base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.x",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_access_token_is_refused(forge: Callable[[Claims], str]) -> None:
    admin = make_user(Role.ADMIN)
    token = sign_in(admin).access
    assert send("GET", "auth/me", token=token).status_code == 200

    response = send("GET", "auth/me", token=forge(claims_of(token)))

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"] == "E_UNAUTHENTICATED"


def test_a_claim_of_a_role_gives_none() -> None:
    reporter = make_user()
    claims = claims_of(sign_in(reporter).access) | {"role": "admin", "is_superuser": True}

    response = send("GET", "auth/me", token=signed(claims))

    assert response.json()["role"] == "reporter"
    assert send("GET", "users", token=signed(claims)).status_code == 403


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(reporter: User) -> None:
    pair = sign_in(reporter)

    assert send("GET", "auth/me", token=pair.refresh).status_code == 401
    assert send("POST", "auth/refresh", {"refresh": pair.access}).status_code == 401


def test_an_access_token_is_over_after_a_quarter_of_an_hour(reporter: User) -> None:
    with time_machine.travel("2026-12-01T09:00:00Z", tick=False) as moment:
        token = sign_in(reporter).access
        moment.shift(14 * 60)
        assert send("GET", "auth/me", token=token).status_code == 200
        moment.shift(61)
        assert send("GET", "auth/me", token=token).status_code == 401


def test_a_bad_token_is_refused_though_the_session_is_good(reporter: User, sign_in: Any) -> None:
    assert send("GET", "auth/me", client=sign_in(reporter)).status_code == 200
    assert send("GET", "auth/me", client=sign_in(reporter), token="wrong").status_code == 401


def test_a_public_key_does_not_sign(settings: Any, tmp_path: Path) -> None:
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "key.pem"
    path.write_bytes(pem.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = pem.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    settings.JWT_SIGNING_KEY, settings.JWT_PRIVATE_KEY_FILE = "", str(path)
    claims = tokens.Claims(new_id(), new_id(), new_id(), tokens.expiry(tokens.access_lifetime()))

    token = tokens.encode(tokens.TokenType.ACCESS, claims)
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert tokens.decode(tokens.TokenType.ACCESS, token) == claims

    confused = _hs256_with(public, claims_of(token))
    with pytest.raises(Unauthenticated):
        tokens.decode(tokens.TokenType.ACCESS, confused)


def test_what_is_signed_says_only_who_and_until_when(reporter: User) -> None:
    claims = claims_of(sign_in(reporter).access)

    assert claims.keys() == {"typ", "sub", "fam", "jti", "exp", "iss", "aud"}
    assert claims["exp"] <= clock.now().timestamp() + 15 * 60


def _hs256_with(key: bytes, claims: Claims) -> str:
    """The library refuses to sign with a public key, an attacker does not."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    mark = hmac.new(key, head + b"." + body, hashlib.sha256).digest()
    return b".".join([head, body, base64.urlsafe_b64encode(mark).rstrip(b"=")]).decode()
