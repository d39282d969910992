"""Failures of pages, and the probes."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tracker import clock, errors
from tracker.models import Event
from tracker.web import health
from tracker.web.errors import add_to_form, failure_reply
from tracker.web.health import live, ready

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

FAILURES: dict[str, Exception] = {
    "hidden": errors.NotFound(),
    "role": errors.NotAllowed("Only maintainers may do this."),
    "invalid": errors.Invalid("That is no date."),
    "rate": errors.RateLimited(retry_after_seconds=9),
    "large": errors.TooLarge(),
    "locked": OperationalError("database is locked"),
    "missing": Http404(),
    "denied": PermissionDenied(),
    "suspicious": SuspiciousOperation(),
    "bug": ZeroDivisionError("secret text"),
    "conflict": errors.Conflict("It is in use."),
}


def fail(_request: HttpRequest, kind: str) -> HttpResponse:
    raise FAILURES[kind]


def form(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("fail/<str:kind>", fail),
    path("form", form),
    path("api/form/", form),
    path("api/fail/<str:kind>/", fail),
    path("health/live", live),
    path("health/ready", ready),
]
handler400 = "tracker.web.errors.bad_request"
handler403 = "tracker.web.errors.permission_denied"
handler404 = "tracker.web.errors.not_found"
handler500 = "tracker.web.errors.server_error"

STATUSES = {
    "hidden": 404,
    "role": 403,
    "invalid": 400,
    "rate": 429,
    "large": 413,
    "locked": 503,
    "missing": 404,
    "denied": 403,
    "suspicious": 400,
    "bug": 500,
    "conflict": 409,
}


@pytest.fixture
def site() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_a_failure_of_a_page_is_a_page(site: Client, kind: str, status: int) -> None:
    response = site.get(f"/fail/{kind}")
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert response.content.count(b"<h1>") == 1
    assert response["X-Request-ID"].encode() in response.content
    assert b"secret text" not in response.content
    if kind in {"role", "invalid", "conflict"}:
        assert str(FAILURES[kind]).encode() in response.content
    assert ("Retry-After" in response) == (status in {429, 503})


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_below_api_it_is_json(site: Client, kind: str, status: int) -> None:
    response = site.get(f"/api/fail/{kind}")
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert set(response.json()) == {"error", "message", "details", "request_id"}


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing"])
def test_debug_pages_stay_out_of_the_api(site: Client, path: str, settings: Any) -> None:
    settings.DEBUG = True
    response = site.get(path)
    assert response.status_code == 404
    assert (response["Content-Type"] == "application/json") == path.startswith("/api")


def test_a_failed_csrf_check_is_403_in_both_forms() -> None:
    site = Client(enforce_csrf_checks=True)
    page, api = site.post("/form"), site.post("/api/form")
    assert (page.status_code, api.status_code) == (403, 403)
    assert page["Content-Type"].startswith("text/html")
    assert api.json()["error"] == "E_FORBIDDEN"


@pytest.mark.parametrize("url", ["/form?x=%00", "/form?x=%ff", "/form?x=%"])
def test_text_that_nothing_can_store_is_refused_on_pages_too(site: Client, url: str) -> None:
    assert site.get(url).status_code == 400


def test_a_path_with_nul_is_404(site: Client) -> None:
    assert site.get("/fail/%00").status_code == 404


def test_a_foreign_host_name_is_400_except_for_probes(site: Client) -> None:
    assert site.get("/form", headers={"Host": "evil.example"}).status_code == 400
    assert site.get("/health/live", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_what_is_larger_than_any_file_is_refused_by_its_header(site: Client) -> None:
    response = site.post("/form", {}, headers={"Content-Length": "300000000"})
    assert response.status_code == 413


def test_a_broken_base_page_still_says_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @property
        def is_authenticated(self) -> bool:
            raise OperationalError("gone")

    request = HttpRequest()
    request.user = Broken()  # type: ignore[assignment]
    response = failure_reply(request, 404)
    assert response.status_code == 404
    assert b"<h1>" in response.content


def test_a_refusal_shows_at_its_fields() -> None:
    class Title(forms.Form):
        title = forms.CharField()

    form = Title({"title": "a"})
    add_to_form(form, errors.Invalid(fields={"title": ["Too short."], "other": ["Wrong."]}))
    add_to_form(form, errors.Conflict("It is in use."))
    assert form.errors == {"title": ["Too short."], "__all__": ["Wrong.", "It is in use."]}


def test_alive_asks_nothing(site: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert site.get("/health/live").json() == {"status": "ok", "sockets": False}


def test_ready_names_what_is_missing(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_do_sockets_answer", lambda: True)  # full mode's other process
    assert site.get("/health/ready").json() == {"status": "ok", "missing": []}
    old = clock.now() - timedelta(minutes=1)
    Event.objects.create(verb="v", source="api", recorded_at=old)
    response = site.get("/health/ready")
    assert (response.status_code, response.json()["missing"]) == (503, ["numbering"])
    monkeypatch.setattr(health, "migrations", SimpleNamespace(are_applied=lambda: False))
    assert site.get("/health/ready").json()["missing"] == ["migrations"]

    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("tracker.web.health.connection.cursor", away)
    assert site.get("/health/ready").json()["missing"] == ["database"]
    assert site.get("/health/live").status_code == 200


def test_data_and_pages_have_their_own_policy(site: Client) -> None:
    data, page = site.get("/api/nothing"), site.get("/form")
    assert data["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "default-src 'self'" in page["Content-Security-Policy"]
