"""Counting requests, and whose they are."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from accounts.models import User
from tracker.api import limits
from tracker.tests.api_client import ApiClient
from tracker.web.address import client_address, client_network
from tracker.web.scheme import SchemeMiddleware

pytestmark = [pytest.mark.urls("tracker.tests.api_site"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = "on"
    monkeypatch.setattr(limits, "ANONYMOUS_LIMIT", 3)
    monkeypatch.setattr(limits, "USER_LIMIT", 4)
    monkeypatch.setattr("tracker.api.limits.time.time", lambda: 1_000_000_000.0)


def test_one_too_many_is_429(developer: User) -> None:
    api = ApiClient(developer)
    remaining = [int(api.get("/api/v1/things/a")["X-RateLimit-Remaining"]) for _ in range(4)]
    assert remaining == [3, 2, 1, 0]
    refused = api.get("/api/v1/things/a")
    assert (refused.status_code, refused.json()["error"]) == (429, "E_RATE_LIMITED")
    assert (refused["Retry-After"], refused["X-RateLimit-Limit"]) == ("20", "4")
    assert refused["X-RateLimit-Reset"] == "1000000020"


def test_401_and_405_come_before_429(developer: User) -> None:
    api = ApiClient(developer)
    for _ in range(6):
        assert api.delete("/api/v1/things").status_code == 405
        assert ApiClient().get("/api/v1/things").status_code == 401
    assert ApiClient().get("/api/v1/open").status_code == 429
    assert api.get("/api/v1/things/hidden").status_code == 429
    assert ApiClient().get("/api/v1/nothing")["X-RateLimit-Remaining"] == "0"


def test_a_person_is_not_held_by_the_address(developer: User) -> None:
    for _ in range(5):
        ApiClient().get("/api/v1/open")
    assert ApiClient(developer).get("/api/v1/things/a").status_code == 200


def test_a_preflight_does_not_count() -> None:
    for _ in range(5):
        ApiClient().options("/api/v1/nothing")
    assert ApiClient().get("/api/v1/open").status_code == 200


def test_off_counts_nothing(settings: Any) -> None:
    settings.RATE_LIMITS = "off"
    replies = [ApiClient().get("/api/v1/open") for _ in range(9)]
    assert {reply.status_code for reply in replies} == {200}
    assert replies[-1]["X-RateLimit-Remaining"] == "3"


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "expected"),
    [
        ([], "9.9.9.9", "1.1.1.1", "9.9.9.9"),
        (["10.0.0.0/8"], "9.9.9.9", "1.1.1.1", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "1.1.1.1", "1.1.1.1"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.2.2.2", "1.1.1.1"),
        (["10.0.0.0/8"], "10.0.0.1", "nonsense", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        (["10.0.0.0/8"], "10.0.0.1", "1.1.1.1:5000", "1.1.1.1"),
        (["unix"], "", "1.1.1.1", "1.1.1.1"),
        ([], "", "1.1.1.1", "unknown"),
    ],
)
def test_the_address_is_what_trusted_proxies_say(
    trusted: list[str], peer: str, forwarded: str, expected: str
) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})
    with override_settings(TRUSTED_PROXIES=trusted):
        assert client_address(request) == expected


@pytest.mark.parametrize(("peer", "is_secure"), [("10.0.0.1", True), ("9.9.9.9", False)])
def test_the_scheme_is_what_trusted_proxies_say(peer: str, is_secure: bool) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-Proto": "https"})
    with override_settings(
        TRUSTED_PROXIES=["10.0.0.0/8"], SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
    ):
        SchemeMiddleware(lambda _: HttpResponse())(request)
        assert request.is_secure() is is_secure


def test_one_customer_of_ipv6_is_one_address() -> None:
    first = RequestFactory().get("/", REMOTE_ADDR="2001:db8::1")
    second = RequestFactory().get("/", REMOTE_ADDR="2001:db8::ffff:2")
    assert client_network(first) == client_network(second) == "2001:db8::/64"
