"""Passwords and what ends with them; limits on guessing."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.identity import (
    identity_from_access_token,
    identity_from_session,
    identity_from_ticket,
    still_valid,
)
from accounts.models import SignInAttempt, User
from accounts.services import attempts
from accounts.services.passwords import set_password
from accounts.services.sessions import sign_in
from accounts.services.tickets import issue_ticket
from accounts.tests.api import access, send, tokens
from tests.make import PASSWORD, caller, fresh, make_user
from tests.threads import at_once
from tracker.errors import NotAllowed, RateLimited, Unauthenticated
from tracker.models import Event

pytestmark = pytest.mark.django_db

NEW = "quite-another-password-9"


@pytest.fixture
def limits(settings: Any) -> None:
    """Limits as they are outside of tests."""
    settings.RATE_LIMITS = "on"


def test_a_change_of_password_ends_everything(reporter: User) -> None:
    pair, session = tokens(reporter), Client()
    session.force_login(reporter)
    by_token = identity_from_access_token(pair.access)
    by_session = identity_from_session(session.session.session_key)
    ticket = issue_ticket(reporter, family_id=by_token.family_id)

    response = send("POST", "auth/password", {"old": PASSWORD, "new": NEW}, token=pair.access)

    assert response.status_code == 204
    assert send("GET", "auth/me", token=pair.access).status_code == 401
    assert send("POST", "auth/refresh", {"refresh": pair.refresh}).status_code == 401
    assert send("GET", "auth/me", client=session).status_code == 401
    assert still_valid(by_token) is None
    assert still_valid(by_session) is None
    with pytest.raises(Unauthenticated):
        identity_from_ticket(ticket)
    assert send("POST", "auth/login", {"email": reporter.email, "password": PASSWORD}).status_code == 401
    assert send("POST", "auth/login", {"email": reporter.email, "password": NEW}).status_code == 200


def test_the_log_says_that_a_password_changed_and_not_to_what(reporter: User) -> None:
    send("POST", "auth/password", {"old": PASSWORD, "new": NEW}, token=access(reporter))

    event = Event.objects.get(verb="user.password_changed")
    assert event.actor_id == reporter.pk
    assert NEW not in str([event.changes, event.data])
    assert fresh(reporter).password not in str([event.changes, event.data])


def test_a_wrong_old_password_is_refused_by_name(reporter: User) -> None:
    response = send("POST", "auth/password", {"old": "wrong", "new": NEW}, token=access(reporter))

    assert response.status_code == 400
    assert response.json()["details"]["fields"].keys() == {"old"}


def test_a_weak_new_password_is_refused_by_name(reporter: User) -> None:
    response = send("POST", "auth/password", {"old": PASSWORD, "new": "12345678"}, token=access(reporter))

    assert response.status_code == 400
    assert response.json()["details"]["fields"].keys() == {"new"}


def test_only_admins_set_the_password_of_others(admin: User, maintainer: User, reporter: User) -> None:
    token = access(reporter)
    with pytest.raises(NotAllowed):
        set_password(reporter.pk, by=caller(maintainer), new=NEW)

    set_password(reporter.pk, by=caller(admin), new=NEW)

    assert send("GET", "auth/me", token=token).status_code == 401
    assert sign_in(reporter.email, NEW, address="192.0.2.1").pk == reporter.pk


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_a_password_at_once_one_wins() -> None:
    user = make_user()
    token = access(user)
    words = ["a-first-long-password-1", "a-second-long-password-2"]

    answers = at_once(
        2, lambda n: send("POST", "auth/password", {"old": PASSWORD, "new": words[n]}, token=token)
    )

    assert [answer.status_code for answer in answers].count(204) == 1


# --- limits --------------------------------------------------------------------------------------------
def guess(email: str, password: str = "wrong password", address: str = "192.0.2.1") -> str:
    """Try a password; return what came of it."""
    try:
        sign_in(email, password, address=address)
    except (Unauthenticated, RateLimited) as error:
        return error.code
    return "in"


@pytest.mark.usefixtures("limits")
def test_ten_failures_for_an_account_and_address_are_the_most(reporter: User) -> None:
    assert {guess(reporter.email) for _ in range(10)} == {"E_UNAUTHENTICATED"}

    assert guess(reporter.email) == "E_RATE_LIMITED"
    assert guess(reporter.email.upper(), PASSWORD) == "E_RATE_LIMITED"
    assert guess(reporter.email, PASSWORD, address="192.0.2.2") == "in"


@pytest.mark.usefixtures("limits")
def test_an_unknown_account_is_limited_the_same() -> None:
    answers = [guess("nobody@example.org") for _ in range(11)]

    assert answers == ["E_UNAUTHENTICATED"] * 10 + ["E_RATE_LIMITED"]


@pytest.mark.usefixtures("limits")
def test_the_limit_ends_after_a_quarter_of_an_hour(reporter: User) -> None:
    with time_machine.travel("2026-12-01T09:00:00Z", tick=False) as moment:
        for _ in range(10):
            guess(reporter.email)
        moment.shift(60)
        with pytest.raises(RateLimited) as refused:
            sign_in(reporter.email, PASSWORD, address="192.0.2.1")
        wait = refused.value.retry_after_seconds
        assert 14 * 60 - 1 <= wait <= 14 * 60 + 1
        moment.shift(wait)
        assert guess(reporter.email, PASSWORD) == "in"


@pytest.mark.usefixtures("limits")
def test_a_hundred_failures_of_an_address_are_the_most(reporter: User) -> None:
    answers = [guess(f"nobody{number}@example.org") for number in range(101)]

    assert answers == ["E_UNAUTHENTICATED"] * 100 + ["E_RATE_LIMITED"]
    assert guess(reporter.email, PASSWORD) == "E_RATE_LIMITED"
    assert guess(reporter.email, PASSWORD, address="192.0.2.2") == "in"


@pytest.mark.usefixtures("limits")
def test_right_passwords_are_never_too_many(reporter: User) -> None:
    assert {guess(reporter.email, PASSWORD) for _ in range(30)} == {"in"}


@pytest.mark.usefixtures("limits")
def test_the_api_says_when_to_try_again_and_failures_outlast_their_request(reporter: User) -> None:
    body = {"email": reporter.email, "password": "wrong"}
    answers = [send("POST", "auth/login", body) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 900
    assert SignInAttempt.objects.count() == 10
    assert not SignInAttempt.objects.filter(account__contains="@").exists()


@pytest.mark.usefixtures("limits")
def test_guessing_the_old_password_is_limited_as_signing_in_is(reporter: User) -> None:
    token = access(reporter)
    body = {"old": "wrong", "new": NEW}

    answers = [send("POST", "auth/password", body, token=token).status_code for _ in range(11)]

    assert answers == [400] * 10 + [429]


@pytest.mark.usefixtures("limits")
def test_sixty_registrations_an_hour_and_address_are_the_most(settings: Any) -> None:
    for _ in range(59):
        attempts.note_registration(address="127.0.0.1")
    body = {"email": "new@example.org", "password": PASSWORD, "name": "New"}

    assert send("POST", "auth/register", body).status_code == 201
    assert send("POST", "auth/register", body | {"email": "other@example.org"}).status_code == 429
    settings.RATE_LIMITS = "off"
    assert send("POST", "auth/register", body | {"email": "other@example.org"}).status_code == 201


@pytest.mark.usefixtures("limits")
def test_a_registration_that_is_refused_counts_too(reporter: User) -> None:
    body = {"email": reporter.email, "password": PASSWORD, "name": "New"}

    assert send("POST", "auth/register", body).status_code == 400
    assert SignInAttempt.objects.filter(kind="register").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("limits")
def test_of_many_guesses_at_once_no_more_than_ten_are_answered() -> None:
    user = make_user()

    answers = at_once(20, lambda _: guess(user.email))

    assert 1 <= answers.count("E_UNAUTHENTICATED") <= 10
    assert set(answers) == {"E_UNAUTHENTICATED", "E_RATE_LIMITED"}
