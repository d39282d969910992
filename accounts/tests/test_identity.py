"""Identities that outlive a request, and the tickets that bring them to a socket."""

from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.identity import (
    Identity,
    identity_from_access_token,
    identity_from_session,
    identity_from_ticket,
    still_valid,
    valid_users,
)
from accounts.models import Role, SocketTicket, TokenFamily, User
from accounts.services.expiry import forget_expired
from accounts.services.sessions import sign_out
from accounts.services.tickets import issue_ticket
from accounts.services.users import deactivate_user, set_role
from accounts.tests.api import access, send, tokens
from tests.make import caller, make_user
from tests.threads import at_once
from tracker.errors import Unauthenticated
from tracker.versions import versions_of

pytestmark = pytest.mark.django_db


def session_of(user: User) -> tuple[Client, str]:
    """A browser that is signed in, and the key of its session."""
    browser = Client()
    browser.force_login(user)
    return browser, str(browser.session.session_key)


def test_a_ticket_of_a_token_opens_one_socket_as_that_person(reporter: User) -> None:
    pair = tokens(reporter)

    response = send("POST", "auth/ticket", token=pair.access)

    assert response.status_code == 200
    assert response.json()["expires_in"] == 30
    ticket = response.json()["ticket"]
    identity = identity_from_ticket(ticket)
    assert (identity.user.pk, identity.session_key) == (reporter.pk, None)
    assert identity.family_id is not None
    with pytest.raises(Unauthenticated):
        identity_from_ticket(ticket)


def test_a_ticket_of_a_session_hangs_on_that_session(reporter: User) -> None:
    browser, key = session_of(reporter)
    ticket = send("POST", "auth/ticket", client=browser).json()["ticket"]

    identity = identity_from_ticket(ticket)

    assert (identity.user.pk, identity.session_key, identity.family_id) == (reporter.pk, key, None)


def test_a_session_needs_the_csrf_token_to_get_a_ticket(reporter: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reporter)

    response = send("POST", "auth/ticket", client=browser)

    assert response.status_code == 403
    assert response.json()["error"] == "E_FORBIDDEN"


def test_a_ticket_is_over_after_thirty_seconds(reporter: User) -> None:
    with time_machine.travel("2026-12-01T09:00:00Z", tick=False) as moment:
        first, second = (issue_ticket(reporter, family_id=_family(reporter)) for _ in range(2))
        moment.shift(29)
        assert identity_from_ticket(first).user == reporter
        moment.shift(2)
        with pytest.raises(Unauthenticated):
            identity_from_ticket(second)


def test_a_ticket_is_not_stored(reporter: User) -> None:
    ticket = issue_ticket(reporter, family_id=_family(reporter))

    stored = SocketTicket.objects.values_list().get()
    assert ticket not in map(str, stored)
    assert ticket.partition("_")[2] not in str(stored)


@pytest.mark.parametrize("text", ["", "ticket_x", "é", "\ud800", "\0", "x" * 100_000])
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        identity_from_ticket(text)


def test_a_ticket_of_a_sign_in_that_is_over_is_refused(reporter: User, admin: User) -> None:
    pair = tokens(reporter)
    ticket = send("POST", "auth/ticket", token=pair.access).json()["ticket"]
    sign_out(pair.refresh)
    with pytest.raises(Unauthenticated):
        identity_from_ticket(ticket)

    ticket = send("POST", "auth/ticket", token=access(reporter)).json()["ticket"]
    deactivate_user(reporter.pk, by=caller(admin))
    with pytest.raises(Unauthenticated):
        identity_from_ticket(ticket)


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_of_a_ticket_at_once_one_wins() -> None:
    user = make_user()
    ticket = issue_ticket(user, family_id=_family(user))

    def use(_: int) -> bool:
        try:
            identity_from_ticket(ticket)
        except Unauthenticated:
            return False
        return True

    assert at_once(10, use).count(True) == 1


def test_an_identity_ends_with_its_family_and_not_with_another(reporter: User) -> None:
    first, second = tokens(reporter), tokens(reporter)
    identities = [identity_from_access_token(pair.access) for pair in (first, second)]

    sign_out(first.refresh)

    assert [still_valid(identity) is not None for identity in identities] == [False, True]


def test_an_identity_ends_with_its_session(reporter: User) -> None:
    browser, key = session_of(reporter)
    other = identity_from_session(session_of(reporter)[1])
    identity = identity_from_session(key)

    browser.post("/accounts/logout/")

    assert still_valid(identity) is None
    assert still_valid(other) == reporter
    with pytest.raises(Unauthenticated):
        identity_from_session(key)


def test_an_identity_ends_when_the_account_is_deactivated(reporter: User, admin: User) -> None:
    identities = [
        identity_from_access_token(access(reporter)),
        identity_from_session(session_of(reporter)[1]),
    ]
    deactivate_user(reporter.pk, by=caller(admin))

    assert [still_valid(identity) for identity in identities] == [None, None]


@pytest.mark.parametrize("key", [None, "", "x", "a" * 32, "\0"])
def test_no_session_is_no_identity(key: str | None) -> None:
    with pytest.raises(Unauthenticated):
        identity_from_session(key)


def test_a_session_that_is_over_is_no_identity(reporter: User) -> None:
    key = session_of(reporter)[1]
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False), pytest.raises(Unauthenticated):
        identity_from_session(key)


def test_an_identity_brings_the_role_and_the_versions_as_they_are_now(reporter: User, admin: User) -> None:
    identity = identity_from_access_token(access(reporter))
    before = versions_of(identity.user)
    set_role(reporter.pk, by=caller(admin), role=Role.DEVELOPER)

    user = still_valid(identity)

    assert user is not None
    assert user.role == Role.DEVELOPER
    assert versions_of(user).rights != before.rights


def test_many_identities_are_looked_at_in_three_queries(
    reporter: User, developer: User, django_assert_num_queries: Any
) -> None:
    identities = [
        *(identity_from_access_token(access(user)) for user in (reporter, developer, reporter)),
        *(identity_from_session(session_of(user)[1]) for user in (reporter, developer)),
    ]

    with django_assert_num_queries(3):
        found = valid_users(identities)

    assert {identity: user.pk for identity, user in found.items()} == {i: i.user.pk for i in identities}


def test_an_identity_of_another_person_with_the_same_family_is_none(reporter: User, developer: User) -> None:
    identity = identity_from_access_token(access(reporter))

    assert still_valid(Identity(developer, family_id=identity.family_id)) is None


def test_what_is_over_is_forgotten_and_what_is_not_is_kept(reporter: User) -> None:
    with time_machine.travel("2026-12-01T09:00:00Z", tick=False) as moment:
        pair = tokens(reporter)
        session_of(reporter)
        issue_ticket(reporter, family_id=_family(reporter))
        moment.shift(20 * 24 * 3600)
        fresh = tokens(reporter)
        assert forget_expired() == 2
        assert (SocketTicket.objects.count(), Session.objects.count()) == (0, 0)
        assert send("POST", "auth/refresh", {"refresh": pair.refresh}).status_code == 200
        moment.shift(12 * 24 * 3600)
        forget_expired()
        assert TokenFamily.objects.count() == 2
        assert send("POST", "auth/refresh", {"refresh": fresh.refresh}).status_code == 200
        moment.shift(40 * 24 * 3600)
        forget_expired()
        assert TokenFamily.objects.count() == 0
        assert forget_expired() == 0


def _family(user: User) -> Any:
    return identity_from_access_token(access(user)).family_id
