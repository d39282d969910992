"""Signing in and out, registering, rotating tokens."""

import uuid
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth import hashers
from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings

from accounts.api.shapes import Account
from accounts.models import RefreshToken, Role, TokenFamily, User
from accounts.services.passwords import set_password, store_foreign_hash
from accounts.services.sessions import rotate, sign_in, start_family
from accounts.services.users import activate_user, deactivate_user
from accounts.tests.api import access, send, tokens
from tests.make import PASSWORD, caller, make_user
from tests.threads import at_once
from tracker.errors import Invalid, Unauthenticated
from tracker.models import Event

pytestmark = pytest.mark.django_db

ACCOUNT_FIELDS = set(Account.__annotations__)


def login(email: str, password: str = PASSWORD) -> Any:
    """Sign in by the API."""
    return send("POST", "auth/login", {"email": email, "password": password})


def refresh(token: str) -> Any:
    """Rotate by the API."""
    return send("POST", "auth/refresh", {"refresh": token})


# --- in --------------------------------------------------------------------------------------------
def test_signing_in_gives_tokens_and_the_account() -> None:
    user = make_user(email="Ada@Example.org")

    response = login("ADA@example.ORG")

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {"user", "access", "refresh", "token_type", "expires_in"}
    assert body["user"].keys() == ACCOUNT_FIELDS
    assert body["user"]["id"] == str(user.pk)
    assert body["user"]["last_login_at"] is not None
    assert response["Cache-Control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert send("GET", "auth/me", token=body["access"]).json()["email"] == "ada@example.org"


def test_addresses_are_the_same_after_folding() -> None:
    make_user(email="straße@example.org".replace("ß", "ss"))

    assert login("STRASSE@EXAMPLE.ORG").status_code == 200
    assert login("ＳＴＲＡＳＳＥ＠example.org").status_code == 200


def test_the_answer_is_the_same_for_unknown_wrong_and_inactive() -> None:
    known, inactive = make_user(), make_user()
    admin = make_user(Role.ADMIN)
    deactivate_user(inactive.pk, by=caller(admin))

    answers = [
        login("nobody@example.org"),
        login(known.email, "wrong password"),
        login(inactive.email, PASSWORD),
        login("no address at all"),
        login("x\u2028y@example.org"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert answers[0]["WWW-Authenticate"] == "Bearer"


def test_the_hasher_works_once_for_known_unknown_inactive_and_without_password() -> None:
    known, inactive, empty = make_user(), make_user(is_active=False), make_user(password=None)
    encoded = make_password("x")
    for email in ("nobody@example.org", known.email, inactive.email, empty.email):
        hashing = patch.object(hashers.MD5PasswordHasher, "encode", return_value=encoded)
        with hashing as encode, pytest.raises(Unauthenticated):
            sign_in(email, "wrong password", address="192.0.2.1")
        assert encode.call_count == 1, email


def test_a_missing_field_is_named() -> None:
    response = send("POST", "auth/login", {"email": "a@example.org"})

    assert response.status_code == 400
    assert "password" in response.json()["details"]["fields"]


def test_a_bcrypt_hash_of_another_system_signs_in_and_is_upgraded(admin: User) -> None:
    bcrypt = pytest.importorskip("bcrypt")
    user = make_user(password=None)
    foreign = bcrypt.hashpw(b"from the old system", bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
    hashing = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.BCryptPasswordHasher",
    ]
    with override_settings(PASSWORD_HASHERS=hashing):
        store_foreign_hash(user.pk, by=caller(admin), foreign=foreign)
        with pytest.raises(Unauthenticated):
            sign_in(user.email, "x" * 100, address="192.0.2.1")
        assert sign_in(user.email, "from the old system", address="192.0.2.1").pk == user.pk

    user.refresh_from_db()
    assert user.password.startswith("md5$")
    assert sign_in(user.email, "from the old system", address="192.0.2.1").pk == user.pk


def test_what_is_no_bcrypt_hash_is_refused(admin: User, reporter: User) -> None:
    with pytest.raises(Invalid):
        store_foreign_hash(reporter.pk, by=caller(admin), foreign="md5$x$y")


def test_signing_in_leaves_no_event(reporter: User) -> None:
    before = Event.objects.count()

    login(reporter.email)

    assert Event.objects.count() == before


def test_who_was_found_before_a_change_of_password_gets_no_tokens(reporter: User) -> None:
    found = sign_in(reporter.email, PASSWORD, address="192.0.2.1")
    set_password(reporter.pk, by=None, new="another-long-password-8")

    with pytest.raises(Unauthenticated):
        start_family(found)


# --- registering -----------------------------------------------------------------------------------
def registration(**changes: Any) -> Any:
    """Register by the API."""
    body = {"email": "new@example.org", "password": PASSWORD, "name": "New Person"}
    return send("POST", "auth/register", body | changes)


def test_who_registers_is_a_reporter_and_signed_in() -> None:
    response = registration(
        role="admin", is_staff=True, is_superuser=True, id=str(uuid.uuid4()), is_active=False
    )

    assert response.status_code == 201
    user = User.objects.get(email="new@example.org")
    assert (user.role, user.is_staff, user.is_superuser, user.is_active) == (
        Role.REPORTER,
        False,
        False,
        True,
    )
    assert [group.name for group in user.groups.all()] == ["reporter"]
    assert send("GET", "auth/me", token=response.json()["access"]).status_code == 200


def test_a_name_may_be_left_out_when_registering() -> None:
    response = send("POST", "auth/register", {"email": "grace@example.org", "password": PASSWORD})

    assert response.status_code == 201
    assert response.json()["user"]["name"] == "grace"


def test_an_address_that_exists_is_refused_in_general_words() -> None:
    make_user(email="new@example.org")

    response = registration(email="NEW@example.org")

    assert response.status_code == 400
    assert response.json()["error"] == "E_VALIDATION"
    assert "exist" not in response.content.decode().lower()
    assert "account" not in response.content.decode().lower()


def test_registration_is_refused_where_it_is_by_invitation(settings: Any) -> None:
    settings.REGISTRATION = "invite"

    assert registration().status_code == 403
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password"),
        ("password", "1234567890123"),
        ("password", "x" * 2000),
        ("password", ["a"]),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a" * 250 + "@example.org"),
        ("email", "a@example.org\r\nBcc: b@example.org"),
        ("email", "x@placeholder.invalid"),
        ("email", 7),
        ("name", "x" * 101),
        ("name", "a\u0000b"),
        ("name", "a\r\nb"),
        ("name", "a\u202eb"),
        ("name", None),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_stored(field: str, value: Any) -> None:
    response = registration(**{field: value})

    assert response.status_code == 400
    assert not User.objects.exists()


def test_an_unknown_field_is_named() -> None:
    assert "nickname" in registration(nickname="x").json()["details"]["fields"]


# --- rotating --------------------------------------------------------------------------------------
def test_a_refresh_token_gives_the_next_pair(reporter: User) -> None:
    first = tokens(reporter)

    response = refresh(first.refresh)

    assert response.status_code == 200
    second = response.json()
    assert second["refresh"] != first.refresh
    assert send("GET", "auth/me", token=second["access"]).status_code == 200
    assert send("GET", "auth/me", token=first.access).status_code == 200
    assert refresh(second["refresh"]).status_code == 200


def test_a_refresh_token_used_twice_ends_the_family_and_that_stays(reporter: User) -> None:
    first = tokens(reporter)
    other = tokens(reporter)
    second = refresh(first.refresh).json()

    assert refresh(first.refresh).status_code == 401

    assert refresh(second["refresh"]).status_code == 401
    assert send("GET", "auth/me", token=second["access"]).status_code == 401
    assert send("GET", "auth/me", token=first.access).status_code == 401
    assert send("GET", "auth/me", token=other.access).status_code == 200
    assert TokenFamily.objects.get(ended_at__isnull=False).end_reason == "refresh token used twice"


def test_a_refresh_token_is_over_after_thirty_days(reporter: User) -> None:
    with time_machine.travel("2026-12-01T09:00:00Z", tick=False) as moment:
        token = tokens(reporter).refresh
        moment.shift(30 * 24 * 3600 + 1)
        assert refresh(token).status_code == 401


def test_a_refresh_token_that_was_never_given_is_refused(reporter: User) -> None:
    pair = tokens(reporter)
    RefreshToken.objects.all().delete()

    assert refresh(pair.refresh).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_twenty_uses_of_a_refresh_token_at_once_one_wins_and_the_family_is_over() -> None:
    user = make_user()
    pair = tokens(user)

    answers = at_once(20, lambda _: refresh(pair.refresh))

    won = [answer for answer in answers if answer.status_code == 200]
    assert [answer.status_code for answer in answers].count(401) == 19
    assert len(won) == 1
    assert send("GET", "auth/me", token=won[0].json()["access"]).status_code == 401
    assert refresh(won[0].json()["refresh"]).status_code == 401
    assert TokenFamily.objects.get().ended_at is not None


# --- out -------------------------------------------------------------------------------------------
def test_signing_out_ends_the_access_tokens_of_that_sign_in_at_once(reporter: User) -> None:
    first, other = tokens(reporter), tokens(reporter)
    second = rotate(first.refresh)

    assert send("POST", "auth/logout", {"refresh": second.refresh}).status_code == 204

    assert send("GET", "auth/me", token=first.access).status_code == 401
    assert send("GET", "auth/me", token=second.access).status_code == 401
    assert refresh(second.refresh).status_code == 401
    assert send("GET", "auth/me", token=other.access).status_code == 200


def test_signing_out_with_no_token_of_ours_is_refused() -> None:
    assert send("POST", "auth/logout", {"refresh": "x"}).status_code == 401
    assert send("POST", "auth/logout", {}).status_code == 400


# --- at the next request ------------------------------------------------------------------------------
def test_a_deactivation_counts_at_the_next_request(admin: User, reporter: User) -> None:
    pair, session = tokens(reporter), Client()
    session.force_login(reporter)

    deactivate_user(reporter.pk, by=caller(admin))

    assert send("GET", "auth/me", token=pair.access).status_code == 401
    assert refresh(pair.refresh).status_code == 401
    assert send("GET", "auth/me", client=session).status_code == 401

    activate_user(reporter.pk, by=caller(admin))
    assert send("GET", "auth/me", token=pair.access).status_code == 401
    assert send("GET", "auth/me", client=session).status_code == 401
    assert send("GET", "auth/me", token=access(User.objects.get(pk=reporter.pk))).status_code == 200


def test_a_change_of_role_counts_at_the_next_request(admin: User, maintainer: User) -> None:
    token = access(maintainer)
    assert send("GET", "users", token=token).status_code == 403

    send("PATCH", f"users/{maintainer.pk}", {"role": "admin"}, token=access(admin))

    assert send("GET", "users", token=token).status_code == 200


def test_the_identity_of_a_request_is_read_in_one_query(
    reporter: User, django_assert_num_queries: Any
) -> None:
    token = access(reporter)
    send("GET", "auth/me", token=token)

    with django_assert_num_queries(1):
        send("GET", "auth/me", token=token)
