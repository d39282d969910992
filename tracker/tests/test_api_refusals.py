"""The order of refusals, their shape, and that nothing leaves without it."""

import itertools
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import override_settings

from accounts.models import User
from tracker.api import errors
from tracker.errors import Stale
from tracker.tests.api_client import ApiClient

pytestmark = [pytest.mark.urls("tracker.tests.api_site"), pytest.mark.django_db]


@pytest.fixture
def api(developer: User) -> ApiClient:
    return ApiClient(developer)


def code(response: Any) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"error", "message", "details", "request_id"}
    assert body["request_id"] == response["X-Request-ID"]
    return response.status_code, body["error"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("locked", (503, "E_UNAVAILABLE")),
        ("away", (503, "E_UNAVAILABLE")),
        ("unavailable", (503, "E_UNAVAILABLE")),
        ("integrity", (409, "E_CONFLICT")),
        ("data", (400, "E_VALIDATION")),
        ("bug", (500, "E_INTERNAL")),
        ("missing", (404, "E_NOT_FOUND")),
        ("hidden", (404, "E_NOT_FOUND")),
        ("role", (403, "E_FORBIDDEN")),
        ("state", (409, "E_CONFLICT")),
        ("transition", (422, "E_TRANSITION")),
        ("rate", (429, "E_RATE_LIMITED")),
        ("invalid", (400, "E_VALIDATION")),
    ],
)
def test_whatever_a_view_raises_becomes_its_status_and_code(
    api: ApiClient, kind: str, expected: tuple[int, str]
) -> None:
    response = api.get(f"/api/v1/failing/{kind}")
    assert code(response) == expected
    assert ("Retry-After" in response) == (expected[0] in {429, 503})
    assert b"Traceback" not in response.content


def test_field_errors_name_their_fields(api: ApiClient) -> None:
    assert api.get("/api/v1/failing/invalid").json()["details"] == {"fields": {"project": ["There is none."]}}
    assert api.get("/api/v1/failing/role").json()["details"] == {"fields": {"status": ["Not yours."]}}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing/", "/api/", "/api", "/api/v1/things/%00"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_is_a_json_404_for_everybody(path: str, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        assert code(ApiClient().get(path)) == (404, "E_NOT_FOUND")
        assert code(ApiClient().post(path)) == (404, "E_NOT_FOUND")


def test_no_identity_comes_before_the_method(api: ApiClient) -> None:
    refused = ApiClient().send("DELETE", "/api/v1/things")
    assert code(refused) == (401, "E_UNAUTHENTICATED")
    assert refused["WWW-Authenticate"] == "Bearer"
    assert code(ApiClient().get("/api/v1/things", headers={"Authorization": "Bearer bad"})) == (
        401,
        "E_UNAUTHENTICATED",
    )
    refused = api.send("DELETE", "/api/v1/things")
    assert code(refused) == (405, "E_METHOD")
    assert set(refused["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT"])
def test_strange_methods_are_405(api: ApiClient, method: str) -> None:
    assert code(api.send(method, "/api/v1/things")) == (405, "E_METHOD")


def test_a_method_is_not_overridden(api: ApiClient) -> None:
    response = api.send("POST", "/api/v1/things/a", {}, X_HTTP_Method_Override="PATCH")
    assert response.status_code == 405


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{", "application/json"), (b"x", "text/plain"), (b" " * 2_000_000, "application/json")],
)
def test_hidden_and_forbidden_come_before_the_body(api: ApiClient, body: bytes, content_type: str) -> None:
    for name, expected in (("hidden", 404), ("role", 403)):
        response = api.generic("PATCH", f"/api/v1/things/{name}", body, content_type)
        assert response.status_code == expected


def test_hidden_and_absent_are_the_same_bytes(api: ApiClient) -> None:
    same = {"X-Request-ID": "same"}
    hidden = api.get("/api/v1/things/hidden", headers=same)
    absent = api.get("/api/v1/things/absent", headers=same)
    assert hidden.content == absent.content
    assert dict(hidden.items()) == dict(absent.items())


def test_size_then_type_then_form_of_the_body(api: ApiClient) -> None:
    def status(body: bytes, content_type: str) -> tuple[int, str]:
        return code(api.generic("POST", "/api/v1/things", body, content_type))

    assert status(b" " * 1_100_000, "text/plain") == (413, "E_TOO_LARGE")
    assert status(b"{", "text/plain") == (415, "E_UNSUPPORTED")
    assert status(b"{}", "") == (415, "E_UNSUPPORTED")
    assert status(b"a=b", "application/x-www-form-urlencoded") == (415, "E_UNSUPPORTED")
    assert status(b"{", "application/json") == (400, "E_VALIDATION")
    assert status(b"", "application/json") == (400, "E_VALIDATION")
    assert code(api.send("POST", "/api/v1/things", {"title": "a"}, Content_Encoding="gzip"))[0] == 415


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.5", 200),
        ("text/html", 406),
        ("application/json;q=0, text/plain", 406),
        ("", 200),
    ],
)
def test_only_who_excludes_json_gets_406(api: ApiClient, accept: str, expected: int) -> None:
    assert api.get("/api/v1/things/a", headers={"Accept": accept}).status_code == expected


def test_files_answer_whatever_is_accepted(api: ApiClient) -> None:
    response = api.get("/api/v1/download", headers={"Accept": "image/png"})
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''Bericht")
    assert b"".join(response) == b"a,b\n"


@pytest.mark.parametrize("query", ["x=%00", "x=%", "x=%zz", "x=%ff", "x=%ED%A0%80", "%00=1"])
def test_text_that_nothing_can_store_is_refused_in_the_query(api: ApiClient, query: str) -> None:
    assert code(api.get(f"/api/v1/things/a?{query}")) == (400, "E_VALIDATION")


def test_a_foreign_host_name_is_a_json_400(api: ApiClient) -> None:
    assert code(api.get("/api/v1/things", headers={"Host": "evil.example"})) == (400, "E_VALIDATION")


@pytest.mark.parametrize("slash", ["", "/"])
def test_paths_answer_with_and_without_slash(api: ApiClient, slash: str) -> None:
    assert api.get(f"/api/v1/things{slash}").status_code == 200
    assert api.send("POST", f"/api/v1/things{slash}", {"title": "a"}).status_code == 201


def test_head_is_get_without_a_body_and_options_names_the_methods(api: ApiClient) -> None:
    head = api.head("/api/v1/things/a")
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", '"7"')
    assert int(head["Content-Length"]) == len(api.get("/api/v1/things/a").content)
    options = api.options("/api/v1/things/a")
    assert options.status_code == 204
    assert set(options["Allow"].split(", ")) == {"GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}


def test_open_views_do_not_look_for_an_identity() -> None:
    response = ApiClient().get("/api/v1/open", headers={"Authorization": "Bearer bad"})
    assert response.json() == {"anonymous": True}


def test_a_request_id_is_taken_over_when_it_is_well_formed(api: ApiClient) -> None:
    assert api.get("/api/v1/things/a", headers={"X-Request-ID": "a-B_3."})["X-Request-ID"] == "a-B_3."
    for bad in ("a b", "x" * 65, "ü", "a\tb", ""):
        assert api.get("/api/v1/things/a", headers={"X-Request-ID": bad})["X-Request-ID"] != bad


def test_a_failing_database_before_the_view_is_503(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("tracker.api.routing.is_api", away)
    response = ApiClient(raise_request_exception=False).get("/api/v1/open")
    assert code(response) == (503, "E_UNAVAILABLE")


@pytest.fixture
def _stale_details() -> Any:
    before = list(errors._stale_details)
    errors.on_stale(lambda stale, user: {"current": {"id": stale.issue_id}, "changes": [stale.expected]})
    yield
    errors._stale_details[:] = before


@pytest.mark.usefixtures("_stale_details")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_stale_version_is_412_by_header_and_409_by_body(api: ApiClient, method: str) -> None:
    path, body = "/api/v1/things/a", {"title": "b"}
    for tag in ('"6"', 'W/"6"', '"5", "6"', '"abc"', '"07"', '"99999999999999999999"'):
        response = api.send(method, path, body, If_Match=tag)
        assert code(response) == (412, "E_STALE"), tag
        assert set(response.json()["details"]) == {"current", "changes"}
    assert code(api.send(method, path, body | {"version": 6})) == (409, "E_CONFLICT")
    assert code(api.send(method, path, body | {"version": 6}, If_Match='"7"')) == (409, "E_CONFLICT")
    assert code(api.send(method, path, body | {"version": 7}, If_Match='"6"')) == (412, "E_STALE")
    for tag in ('"7"', 'W/"7"', '"6", "7"', "*", '"6" , W/"7"'):
        assert api.send(method, path, body | {"version": 7}, If_Match=tag).status_code in {200, 204}, tag


@pytest.mark.parametrize("tag", ["7", '"7', '"7",', "", "*,*", '"7" "8"', 'w/"7"'])
def test_a_malformed_if_match_is_400(api: ApiClient, tag: str) -> None:
    assert code(api.send("PATCH", "/api/v1/things/a", {}, If_Match=tag)) == (400, "E_VALIDATION")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [('"7"', 304), ('W/"7"', 304), ('"6", "7"', 304), ("*", 304), ('"6"', 200), ("bad", 200)],
)
def test_a_reader_who_has_the_state_gets_304(api: ApiClient, tag: str, expected: int) -> None:
    response = api.get("/api/v1/things/a", headers={"If-None-Match": tag})
    assert (response.status_code, response["ETag"]) == (expected, '"7"')
    assert (response.content == b"") == (expected == 304)


def test_get_with_if_match_is_just_a_get(api: ApiClient) -> None:
    assert api.get("/api/v1/things/a", headers={"If-Match": '"1"'}).status_code == 200


def test_a_stale_error_without_a_hook_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_stale_details", [])
    request = HttpRequest()
    refusal = errors.refusal_of(Stale(issue_id=1, expected=2), request=request)
    assert (refusal.status, refusal.details) == (409, {})


def test_every_reply_has_both_kinds_of_headers(api: ApiClient) -> None:
    replies = itertools.chain(
        (
            api.get(path)
            for path in ("/api/v1/things", "/api/v1/x", "/api/v1/failing/bug", "/api/v1/download")
        ),
        (ApiClient().get("/api/v1/things"), api.delete("/api/v1/things"), api.options("/api/v1/things")),
    )
    for response in replies:
        for name in ("X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
            assert name in response, (response.status_code, name)


def test_replies_are_in_one_language(api: ApiClient) -> None:
    replies = [
        api.send("PUT", "/api/v1/things/a", {}, Accept_Language=language, X_Request_ID="same").content
        for language in ("de", "en")
    ]
    assert replies[0] == replies[1]
    assert b"This field is required." in replies[0]


def test_another_site_that_is_allowed_may_send_and_read_our_headers(api: ApiClient, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    asked = {"Origin": "https://front.example", "Access-Control-Request-Method": "PATCH"}
    preflight = ApiClient().options("/api/v1/things/a", headers=asked)
    assert preflight.status_code == 200
    assert "if-match" in preflight["Access-Control-Allow-Headers"]
    reply = api.get("/api/v1/things/hidden", headers={"Origin": "https://front.example"})
    assert "ETag" in reply["Access-Control-Expose-Headers"]
    foreign = ApiClient().options("/api/v1/things/a", headers=asked | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign
