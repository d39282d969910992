"""Pages: complete, in order, both ways, stable under inserts, one query each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from tracker.models import Event
from tracker.tests.api_client import ApiClient

pytestmark = [pytest.mark.urls("tracker.tests.api_site"), pytest.mark.django_db]

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def api(developer: User) -> ApiClient:
    return ApiClient(developer)


@pytest.fixture(autouse=True)
def _things(developer: User) -> None:
    Event.objects.bulk_create(
        Event(
            verb=f"v{number % 3}",
            version=None if number % 4 == 0 else number % 5,
            at=START + timedelta(minutes=number % 6),
            source="api",
        )
        for number in range(23)
    )


def walk(api: ApiClient, path: str, way: str = "next") -> list[list[dict[str, Any]]]:
    pages, url = [], path
    while url:
        body = api.get(url).json()
        pages.append(body["results"])
        assert len(pages) < 40
        url = body[way]
    return pages


def expected(sort: str) -> list[tuple[Any, Any]]:
    rows = list(Event.objects.filter(source="api").order_by("order"))
    for name in reversed(sort.split(",")):
        descending, field = name.startswith("-"), name.removeprefix("-")
        known = [row for row in rows if getattr(row, field) is not None]
        rows = sorted(known, key=lambda row: getattr(row, field), reverse=descending) + [
            row for row in rows if getattr(row, field) is None
        ]
    return [(row.verb, row.version) for row in rows]


@pytest.mark.parametrize(
    "sort",
    [
        "at",
        "-at",
        "version",
        "-version",
        "verb,-version",
        "-verb,version",
        "-version,at,verb",
        "both",
        "-both",
    ],
)
@pytest.mark.parametrize("size", [1, 4, 23, 100])
def test_pages_are_the_whole_list_once_forwards_and_backwards(api: ApiClient, sort: str, size: int) -> None:
    whole = api.get(f"/api/v1/things?sort={sort}&size=100").json()["results"]
    assert len(whole) == 23
    pages = walk(api, f"/api/v1/things?sort={sort}&size={size}")
    assert [row for page in pages for row in page] == whole
    last = None
    url: str | None = f"/api/v1/things?sort={sort}&size={size}"
    while url:
        last, url = url, api.get(url).json()["next"]
    back = walk(api, str(last), "previous")
    assert [row for page in reversed(back) for row in page] == whole


@pytest.mark.parametrize("sort", ["version", "-version", "verb,-version", "-verb,version"])
def test_empty_values_are_last_in_both_directions(api: ApiClient, sort: str) -> None:
    whole = api.get(f"/api/v1/things?sort={sort}&size=100").json()["results"]
    keys = [name.removeprefix("-") for name in sort.split(",")]
    names = {"verb": "title", "version": "size"}
    found = [tuple(row[names[key]] for key in keys) for row in whole]
    wanted = [
        tuple(dict(zip(("verb", "version"), row, strict=True))[key] for key in keys) for row in expected(sort)
    ]
    assert found == wanted


def test_an_insert_before_the_place_moves_nothing(api: ApiClient) -> None:
    before = api.get("/api/v1/things?sort=at&size=100").json()["results"]
    first = api.get("/api/v1/things?sort=at&size=10").json()
    Event.objects.create(verb="early", at=START - timedelta(days=1), source="api")
    second = api.get(first["next"]).json()
    assert second["results"] == before[10:20]


def test_a_page_costs_one_query_and_a_number_one_more(api: ApiClient, django_assert_num_queries: Any) -> None:
    url = api.get("/api/v1/things?size=5").json()["next"]
    with django_assert_num_queries(2):  # the account, the page
        api.get(url)
    with django_assert_num_queries(3):
        assert api.get("/api/v1/things?page=2&size=5").json()["count"] == 23


def test_numbered_pages_count_exactly(api: ApiClient) -> None:
    body = api.get("/api/v1/things?page=3&size=10&sort=verb").json()
    assert (body["count"], len(body["results"]), body["next"]) == (23, 3, None)
    assert "page=2" in body["previous"]
    assert "sort=verb" in body["previous"]
    assert api.get("/api/v1/things?page=4&size=10").status_code == 404
    assert api.get("/api/v1/things?page=99999999999999999").status_code == 404
    empty = api.get("/api/v1/things?page=1&verb=none").json()
    assert (empty["count"], empty["results"]) == (0, [])


def test_neighbours_are_in_the_link_header_too(api: ApiClient) -> None:
    first = api.get("/api/v1/things?size=5&verb=v1")
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    second = api.get(first.json()["next"])
    assert second["Link"] == f'<{second.json()["previous"]}>; rel="prev"'
    assert second.json()["next"] is None
    assert "verb=v1" in second.json()["previous"]
    assert "Link" not in api.get("/api/v1/things?size=100")


@pytest.mark.parametrize("cursor", ["", "x", "ü", "AAAA", "a" * 9000, "eyJhIjoxfQ", "%00"])
def test_a_cursor_that_is_not_ours_is_400(api: ApiClient, cursor: str) -> None:
    assert api.get(f"/api/v1/things?cursor={cursor}").status_code == 400
    assert api.get(f"/api/v1/short?cursor={cursor}").status_code == 400


def test_a_cursor_belongs_to_its_sort(api: ApiClient) -> None:
    cursor = api.get("/api/v1/things?size=5&sort=at").json()["next"].partition("cursor=")[2]
    assert api.get(f"/api/v1/things?cursor={cursor}&sort=at").status_code == 200
    assert api.get(f"/api/v1/things?cursor={cursor}&sort=-at").status_code == 400
    assert api.get(f"/api/v1/short?cursor={cursor}").status_code == 400
    assert api.get(f"/api/v1/things?cursor={cursor}&sort=at&page=1").status_code == 400


@pytest.mark.parametrize("sort", ["", "secret", "verb__x", "-", "at,", "at,,verb", "order"])
def test_a_sort_that_is_not_in_the_list_is_400(api: ApiClient, sort: str) -> None:
    response = api.get(f"/api/v1/things?sort={sort}")
    assert response.status_code == 400
    assert list(response.json()["details"]["fields"]) == ["sort"]


def test_ordering_is_another_name_of_sort(api: ApiClient) -> None:
    assert (
        api.get("/api/v1/things?ordering=-version,at").json()["results"]
        == api.get("/api/v1/things?sort=-version,at").json()["results"]
    )


def test_a_short_list_pages_alike(api: ApiClient) -> None:
    numbers = [{"n": number} for number in range(7)]
    pages = walk(api, "/api/v1/short?size=3")
    assert pages == [numbers[:3], numbers[3:6], numbers[6:]]
    last = api.get(api.get("/api/v1/short?size=4").json()["next"]).json()
    assert api.get(last["previous"]).json()["results"] == numbers[:4]
    assert api.get("/api/v1/short?page=2&size=4").json()["count"] == 7
    assert api.get("/api/v1/short?page=3&size=4").status_code == 404
