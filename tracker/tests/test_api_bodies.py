"""Bodies, forms and query strings: strict, closed, and never a 500."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from tracker.api.bodies import check_body
from tracker.api.parsers import check_values, parse_json
from tracker.errors import Invalid, TooLarge
from tracker.models import Event
from tracker.tests.api_client import ApiClient
from tracker.tests.api_site import ThingBody

pytestmark = [pytest.mark.urls("tracker.tests.api_site"), pytest.mark.django_db]


@pytest.fixture
def api(developer: User) -> ApiClient:
    return ApiClient(developer)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"[" * 100_000,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b'{"title": "a\\u0000b"}',
        b'{"a\\u0000": 1}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"size": 9223372036854775808}',
        b'{"size": -9223372036854775809}',
        b'{"size": ' + b"9" * 5000 + b"}",
        b'{"size": 1e300}',
        b'{"size": NaN}',
        b'{"size": Infinity}',
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"\xff\xfe{\x00}\x00",
        b'{"title": "a"} {}',
    ],
)
def test_what_no_field_can_hold_is_400(api: ApiClient, raw: bytes) -> None:
    response = api.send("POST", "/api/v1/things", raw)
    assert (response.status_code, response.json()["error"]) == (400, "E_VALIDATION")


def test_32_levels_and_64_bits_are_taken() -> None:
    parse_json(b'{"a":' * 32 + b"1" + b"}" * 32)
    assert parse_json(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    with pytest.raises(Invalid, match="nested"):
        check_values(_nested(33))
    with pytest.raises(TooLarge):
        parse_json(b" " * (1024 * 1024 + 1))


def _nested(levels: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(levels - 1):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 1),
        ("title", " "),
        ("title", None),
        ("title", "x" * 21),
        ("flag", "true"),
        ("flag", 1),
        ("flag", None),
        ("size", "3"),
        ("size", 11),
        ("size", True),
        ("size", 2.5),
        ("estimate", 0.125),
        ("estimate", "1"),
        ("estimate", 101),
        ("due", "2026-13-01"),
        ("due", "1899-12-31"),
        ("due", 20261201),
        ("kind", "feature"),
        ("kind", ["bug"]),
        ("kind", {}),
        ("status", 3),
        ("status", ""),
        ("status", {"id": "x"}),
        ("status", []),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(api: ApiClient, field: str, value: Any) -> None:
    response = api.send("PATCH", "/api/v1/things/a", {field: value})
    assert response.status_code == 400
    assert list(response.json()["details"]["fields"]) == [field]


def test_unknown_fields_are_named_and_read_only_ones_ignored(api: ApiClient) -> None:
    refused = api.send("PATCH", "/api/v1/things/a", {"colour": 1, "shape": 2, "size": 99})
    assert set(refused.json()["details"]["fields"]) == {"colour", "shape", "size"}
    sent = {
        "id": 1,
        "key": "A-1",
        "created_at": "x",
        "author": {},
        "creator_id": 5,
        "is_superuser": True,
        "size": 3,
    }
    assert api.send("PATCH", "/api/v1/things/a", sent).json() == {"size": "3"}


def test_put_asks_for_the_whole_and_patch_for_a_part(api: ApiClient) -> None:
    assert api.send("PATCH", "/api/v1/things/a", {"size": 1}).status_code == 200
    refused = api.send("PUT", "/api/v1/things/a", {"size": 1})
    assert refused.json()["details"]["fields"] == {"title": ["This field is required."]}
    assert api.send("PUT", "/api/v1/things/a", {"title": "b"}).json() == {"title": "b"}


def test_only_what_was_sent_comes_back() -> None:
    assert check_body(ThingBody, {"title": " a ", "size": None}, partial=False) == {
        "title": "a",
        "size": None,
    }
    assert check_body(ThingBody, {"size": 3.0}, partial=True) == {"size": 3}


@pytest.mark.parametrize(
    "sent", ["done", {"slug": "done", "name": "Done"}, {"name": "done"}, {"slug": None, "name": "done"}]
)
def test_a_reference_is_taken_in_both_forms(sent: Any) -> None:
    assert check_body(ThingBody, {"status": sent}, partial=True) == {"status": "done"}


def test_delete_may_leave_its_body_out(api: ApiClient) -> None:
    assert api.delete("/api/v1/things/a").status_code == 204
    assert api.send("DELETE", "/api/v1/things/a", {"version": 7}).status_code == 204
    assert api.send("DELETE", "/api/v1/things/a", {"version": "7"}).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_form_is_taken_where_the_view_allows_it(api: ApiClient, method: str) -> None:
    content = encode_multipart(BOUNDARY, {"title": "ä", "flag": "true"})

    def send(content: bytes, content_type: str) -> Any:
        return api.generic(method, "/api/v1/upload", content, content_type)

    assert send(content, MULTIPART_CONTENT).json() == {"title": "ä", "flag": True}
    assert send(b'{"title": "b"}', "application/json").json() == {"title": "b", "flag": None}
    for refused in ({"x": "1"}, {"title": "\0"}, {"flag": "yes"}):
        assert send(encode_multipart(BOUNDARY, refused), MULTIPART_CONTENT).status_code == 400
    for broken in ("multipart/form-data", MULTIPART_CONTENT, "multipart/form-data; boundary=ü"):
        assert send(b"broken", broken).status_code == 400


def test_a_form_is_415_where_it_is_not_allowed(api: ApiClient) -> None:
    content = encode_multipart(BOUNDARY, {"title": "a"})
    assert api.generic("POST", "/api/v1/things", content, MULTIPART_CONTENT).status_code == 415


def test_a_body_over_the_limit_of_all_is_refused_by_its_header(api: ApiClient) -> None:
    file = SimpleUploadedFile("a.bin", b"x")
    response = api.post("/api/v1/upload", {"file": file}, headers={"Content-Length": str(27 * 1024 * 1024)})
    assert (response.status_code, response.json()["error"]) == (413, "E_TOO_LARGE")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("verbs=a", ["verbs"]),
        ("unread=yes", ["unread"]),
        ("days=0", ["days"]),
        ("days=91&kind=c", ["days", "kind"]),
        ("days=" + "9" * 5000, ["days"]),
        ("days=٣", ["days"]),
        ("since=2026-01-01T10:00:00", ["since"]),
        ("since=9999999-01-01", ["since"]),
        ("until=2026-02-30", ["until"]),
        ("by=7", ["by"]),
        ("size=0", ["size"]),
        ("size=101", ["size"]),
        ("size=", ["size"]),
        ("page=0", ["page"]),
        ("page=x", ["page"]),
        ("verb=" + "x" * 401, ["verb"]),
        ("format=csv", ["format"]),
    ],
)
def test_a_bad_parameter_is_named(api: ApiClient, query: str, names: list[str]) -> None:
    response = api.get(f"/api/v1/things?{query}")
    assert response.status_code == 400
    assert list(response.json()["details"]["fields"]) == names


def test_good_parameters_are_taken(api: ApiClient) -> None:
    Event.objects.create(verb="a", source="api")
    query = "verb=a&unread=1&days=90&kind=b&since=2026-01-01T10:00:00%2B02:00&until=2026-02-28&size=1&sort=at"
    assert len(api.get(f"/api/v1/things?{query}").json()["results"]) == 1
