"""The pages of signing in, settings and set-up, without JavaScript."""

from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError
from django.test import Client

from accounts.models import Role, SetupLink, User
from accounts.services import setup
from accounts.services.setup import make_setup_token
from tests.make import PASSWORD, fresh, make_user
from tests.threads import at_once

pytestmark = pytest.mark.django_db

NEW = "quite-another-password-9"


def form(client: Client, path: str, **values: str) -> Any:
    """Send a form."""
    return client.post(path, values)


# --- in and out -----------------------------------------------------------------------------------
def test_the_form_signs_in_under_a_new_session_and_goes_on(reporter: User, client: Client) -> None:
    assert client.get("/accounts/login/?next=/settings/profile/").status_code == 200
    client.session["x"] = 1
    before = client.session.session_key

    response = form(
        client, "/accounts/login/", email=reporter.email.upper(), password=PASSWORD, next="/settings/profile/"
    )

    assert response.status_code == 302
    assert response["Location"] == "/settings/profile/"
    assert client.session.session_key != before
    assert client.get("/settings/profile/").status_code == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""]
)
def test_signing_in_leads_only_to_this_host(reporter: User, client: Client, to: str) -> None:
    response = form(client, "/accounts/login/", email=reporter.email, password=PASSWORD, next=to)

    assert response["Location"] == "/"
    assert client.get("/accounts/login/", {"next": to})["Location"] == "/"


def test_a_wrong_password_shows_the_form_again_without_it(reporter: User, client: Client) -> None:
    response = form(client, "/accounts/login/", email=reporter.email, password="wrong-canary", next="/x/")

    page = response.content.decode()
    assert response.status_code == 401
    assert reporter.email in page
    assert "wrong-canary" not in page
    assert 'value="/x/"' in page
    assert "_auth_user_id" not in client.session


def test_the_form_is_under_the_limits_of_the_api(reporter: User, client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = "on"
    for _ in range(10):
        form(client, "/accounts/login/", email=reporter.email, password="wrong")

    response = form(client, "/accounts/login/", email=reporter.email, password=PASSWORD)

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert Client().post(
        "/api/v1/auth/login", {"email": reporter.email, "password": PASSWORD}, content_type="application/json"
    ).status_code == 429  # fmt: skip


def test_every_form_needs_the_csrf_token(reporter: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reporter)
    for path in (
        "/accounts/login/",
        "/accounts/logout/",
        "/accounts/register/",
        "/settings/profile/",
        "/settings/password/",
    ):
        assert browser.post(path, {}).status_code == 403, path


def test_signing_out_is_a_post(reporter: User, sign_in: Any) -> None:
    browser = sign_in(reporter)

    assert browser.get("/accounts/logout/").status_code == 405
    assert browser.get("/settings/profile/").status_code == 200
    assert browser.post("/accounts/logout/").status_code == 302
    assert browser.get("/settings/profile/")["Location"] == "/accounts/login/?next=/settings/profile/"


@pytest.mark.parametrize(
    "cookie", ['"\\000aaaaaaaaaaaa"', '"\\355\\240\\200aaaaaaaa"', "x" * 5000, "../../../etc"]
)
def test_a_session_cookie_of_any_text_is_no_session(client: Client, cookie: str) -> None:
    headers = {"cookie": f"sessionid={cookie}"}

    assert client.get("/accounts/login/", headers=headers).status_code == 200
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 401


def test_bad_input_in_a_form_is_refused(client: Client) -> None:
    for value in ("\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 5000):
        response = form(client, "/accounts/login/", email=value, password=value, next=value)
        assert response.status_code in {400, 401}


# --- registering ----------------------------------------------------------------------------------
def test_registering_makes_a_reporter_who_is_signed_in(client: Client) -> None:
    assert client.get("/accounts/register/").status_code == 200

    response = form(
        client, "/accounts/register/", email="new@example.org", name="New", password=PASSWORD, role="admin"
    )

    assert response["Location"] == "/"
    assert User.objects.get().role == Role.REPORTER
    assert client.get("/settings/profile/").status_code == 200


def test_what_is_refused_is_shown_beside_what_was_typed(client: Client, reporter: User) -> None:
    response = form(client, "/accounts/register/", email=reporter.email, name="Typed name", password=PASSWORD)

    page = response.content.decode()
    assert response.status_code == 400
    assert "Typed name" in page
    assert "cannot be registered" in page
    assert PASSWORD not in page


def test_no_registration_where_it_is_by_invitation(client: Client, settings: Any) -> None:
    settings.REGISTRATION = "invite"

    assert client.get("/accounts/register/").status_code == 403
    assert (
        form(client, "/accounts/register/", email="a@example.org", name="A", password=PASSWORD).status_code
        == 403
    )
    assert "/accounts/register/" not in client.get("/accounts/login/").content.decode()


# --- settings -------------------------------------------------------------------------------------
def test_one_changes_name_time_zone_and_language(reporter: User, sign_in: Any) -> None:
    browser = sign_in(reporter)
    assert browser.get("/settings/")["Location"] == "/settings/profile/"

    response = form(
        browser, "/settings/profile/", name="New Name", time_zone="Europe/Berlin", language="de", role="admin"
    )

    assert response.status_code == 302
    found = fresh(reporter)
    assert (found.name, found.time_zone, found.language) == ("New Name", "Europe/Berlin", "de")
    assert found.role == Role.REPORTER
    assert response.cookies["django_language"].value == "de"


def test_a_bad_name_is_refused_and_kept_in_the_form(reporter: User, sign_in: Any) -> None:
    name = "<script>\u202e"
    response = form(sign_in(reporter), "/settings/profile/", name=name, time_zone="UTC", language="en")

    assert response.status_code == 400
    assert "&lt;script&gt;" in response.content.decode()
    assert "<script>\u202e" not in response.content.decode()


def test_a_change_of_password_leads_to_the_sign_in(reporter: User, sign_in: Any) -> None:
    browser, other = sign_in(reporter), sign_in(reporter)

    response = form(browser, "/settings/password/", old=PASSWORD, new=NEW, again=NEW)

    assert response["Location"] == "/accounts/login/"
    for each in (browser, other):
        assert each.get("/settings/profile/").status_code == 302
    assert form(browser, "/accounts/login/", email=reporter.email, password=NEW)["Location"] == "/"


@pytest.mark.parametrize(
    "values", [{"old": "wrong"}, {"again": "different"}, {"new": "12345678", "again": "12345678"}]
)
def test_a_refused_change_of_password_changes_nothing(
    reporter: User, sign_in: Any, values: dict[str, str]
) -> None:
    browser = sign_in(reporter)

    response = form(browser, "/settings/password/", **({"old": PASSWORD, "new": NEW, "again": NEW} | values))

    assert response.status_code == 400
    assert NEW not in response.content.decode()
    assert fresh(reporter).password == reporter.password
    assert browser.get("/settings/profile/").status_code == 200


def test_settings_are_for_who_is_signed_in(client: Client) -> None:
    for path in ("/settings/profile/", "/settings/password/"):
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


# --- set-up ---------------------------------------------------------------------------------------
def test_the_set_up_link_makes_the_first_admin_once(client: Client) -> None:
    token = make_setup_token()
    path = f"/setup/{token}/"
    assert client.get(path).status_code == 200

    weak = form(client, path, email="boss@example.org", name="Boss", password="123")
    assert weak.status_code == 400
    response = form(client, path, email="boss@example.org", name="Boss", password=PASSWORD)

    assert response["Location"] == "/"
    boss = User.objects.get()
    assert (boss.role, boss.is_active) == (Role.ADMIN, True)
    assert client.get("/settings/profile/").status_code == 200
    assert client.get(path).status_code == 404
    assert form(client, path, email="two@example.org", name="Two", password=PASSWORD).status_code == 404
    assert make_setup_token() is None


def test_another_set_up_link_is_none(client: Client) -> None:
    first, second = make_setup_token(), make_setup_token()

    assert client.get("/setup/nothing/").status_code == 404
    assert client.get(f"/setup/{first}/").status_code == 404
    assert client.get(f"/setup/{second}/").status_code == 200
    assert str(second) not in str(SetupLink.objects.values_list())


def test_a_set_up_link_is_over_once_there_is_somebody(client: Client) -> None:
    token = make_setup_token()
    make_user()

    assert client.get(f"/setup/{token}/").status_code == 404
    assert (
        form(client, f"/setup/{token}/", email="x@example.org", name="X", password=PASSWORD).status_code
        == 404
    )
    assert form(client, f"/setup/{token}/", samples="1").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_of_a_set_up_link_at_once_one_makes_an_admin() -> None:
    path = f"/setup/{make_setup_token()}/"

    answers = at_once(
        4,
        lambda n: (
            form(Client(), path, email=f"boss{n}@example.org", name="Boss", password=PASSWORD).status_code
        ),
    )

    assert sorted(answers) == [302, 404, 404, 404]
    assert User.objects.count() == 1


def test_sample_data_is_filled_in_beside_and_the_page_goes_on(client: Client) -> None:
    path = f"/setup/{make_setup_token()}/"
    with patch.object(Thread, "start") as start:
        response = form(client, path, samples="1")
    assert start.called
    assert response["Location"] == f"{path}?wait=1"
    assert client.get(response["Location"])["Refresh"] == "3"

    with patch.object(setup, "call_command") as seed:
        setup.fill(path.split("/")[2])

    seed.assert_called_once_with("seed_demo")
    assert client.get(response["Location"])["Location"] == "/accounts/login/"
    assert client.get(path).status_code == 404


def test_sample_data_that_fails_leaves_the_link_open_and_says_why(client: Client) -> None:
    token = str(make_setup_token())
    setup.start_filling(token)
    with patch.object(setup, "call_command", side_effect=CommandError("no room")):
        setup.fill(token)

    page = client.get(f"/setup/{token}/")

    assert page.status_code == 200
    assert "no room" in page.content.decode()


def test_there_is_no_sample_data_in_production(client: Client, settings: Any) -> None:
    settings.TRACKER_ENV = "production"
    path = f"/setup/{make_setup_token()}/"

    assert 'name="samples"' not in client.get(path).content.decode()
    assert form(client, path, samples="1").status_code == 403
