"""`GET events` and the event stream."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.test import AsyncRequestFactory, Client

from accounts.models import User
from issues.api.events import StreamView
from issues.live import places
from issues.models import Project
from issues.services.comments import delete_comment
from issues.tests.api import queries
from issues.tests.live import LiveLoop, tokens_of
from tests.make import caller, make_comment, make_issue, make_project
from tracker.events.numbering import head, number_events

URL = "/api/v1/events"


def api(user: User) -> Client:
    """A client with an access token."""
    return Client(headers={"Authorization": f"Bearer {tokens_of(user).access}"})


@pytest.fixture
def project(admin: User) -> Project:
    """An internal project."""
    return make_project("API", by=admin)


@pytest.mark.django_db
def test_the_log_is_read_in_pages(developer: User, project: Project) -> None:
    keys = [f"API-{make_issue(project, by=developer).number}" for _ in range(5)]
    number_events()
    client, after, found = api(developer), 0, []
    for _ in range(3):
        page = client.get(URL, {"after": after, "limit": 2}).json()
        assert set(page) == {"results", "next_after", "has_more"}
        assert len(page["results"]) <= 2
        found += [frame["issue"]["key"] for frame in page["results"]]
        after = page["next_after"]
    assert found == keys
    assert (page["has_more"], after) == (False, head().last_seq)
    assert client.get(f"{URL}/", {"after": after}).json() == {
        "results": [],
        "next_after": after,
        "has_more": False,
    }


@pytest.mark.django_db
def test_internal_comments_stay_hidden_from_reporters(
    reporter: User, developer: User, project: Project
) -> None:
    issue = make_issue(project, by=reporter)
    make_comment(issue, by=developer, body="between us", internal=True)
    make_comment(issue, by=developer, body="for all")
    number_events()
    assert b"between us" not in api(reporter).get(URL).content
    assert b"between us" in api(developer).get(URL).content


@pytest.mark.django_db
def test_a_deleted_comment_is_not_told_again(developer: User, project: Project) -> None:
    comment = make_comment(make_issue(project, by=developer), by=developer, body="regretted")
    delete_comment(comment.pk, by=caller(developer))
    number_events()
    assert b"regretted" not in api(developer).get(URL).content


@pytest.mark.django_db
def test_a_project_narrows_the_log(developer: User, admin: User, project: Project) -> None:
    other = make_project("OTHER", by=admin)
    make_issue(project, by=developer)
    make_issue(other, by=developer)
    number_events()
    page = api(developer).get(URL, {"project": "OTHER"}).json()
    assert [frame["issue"]["key"] for frame in page["results"]] == ["OTHER-1"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "-1"},
        {"after": "x"},
        {"after": "9" * 30},
        {"limit": "0"},
        {"limit": "1001"},
        {"project": "NONE"},
        {"x": "1"},
    ],
)
def test_a_bad_parameter_is_named(developer: User, wrong: dict[str, str]) -> None:
    answer = api(developer).get(URL, wrong)
    assert answer.status_code == 400
    assert set(answer.json()["details"]["fields"]) == set(wrong)


@pytest.mark.django_db
def test_a_hidden_project_reads_as_one_that_is_not_there(developer: User, admin: User) -> None:
    make_project("HIDDEN", by=admin, visibility="private")
    hidden, absent = (api(developer).get(URL, {"project": key}).json() for key in ("HIDDEN", "ABSENT"))
    assert hidden["message"].replace("HIDDEN", "ABSENT") == absent["message"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [URL, f"{URL}/stream"])
def test_the_anonymous_are_refused(client: Client, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("persona", ["reporter", "developer"])
def test_a_page_takes_four_queries(request: pytest.FixtureRequest, persona: str, project: Project) -> None:
    user = request.getfixturevalue(persona)
    for _ in range(5):
        make_comment(make_issue(project, by=user), by=user)
    number_events()
    client = api(user)
    client.get(URL)
    with queries() as found:
        page = client.get(URL, {"limit": 100}).json()
    assert len(page["results"]) == 10
    assert len(found) <= 4, found


@pytest.mark.django_db
def test_a_server_without_streams_says_where_they_are(developer: User, settings: Any) -> None:
    settings.LIVE_URL = "https://live.example.org"
    answer = api(developer).get(f"{URL}/stream", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 503
    assert "https://live.example.org" in answer.json()["message"]


# --- the stream --------------------------------------------------------------------------------------
class Stream:
    """One event stream, read in a loop of its own."""

    def __init__(self, loop: LiveLoop, user: User, query: str = "", **headers: str) -> None:
        self._loop = loop
        headers = {"Authorization": f"Bearer {tokens_of(user).access}", **headers}
        request = AsyncRequestFactory().get(f"{URL}/stream{query}", headers=headers)
        self.response: Any = StreamView.as_view()(request)
        self._lines: AsyncIterator[bytes] | None = None

    def next(self, timeout_seconds: float = 10) -> dict[str, str]:
        """Return the next event as its fields; a comment has none."""
        return self._loop.run(self._next(timeout_seconds))

    async def _next(self, timeout_seconds: float) -> dict[str, str]:
        if self._lines is None:
            self._lines = aiter(self.response.streaming_content)
        async with asyncio.timeout(timeout_seconds):
            part = await anext(self._lines)
        assert part.endswith(b"\n\n")
        lines = part.decode().strip().split("\n")
        return dict(line.split(": ", 1) for line in lines if not line.startswith(":"))

    def events(self) -> list[dict[str, str]]:
        """Return everything up to `ready`."""
        found = [self.next()]
        while found[-1].get("event") != "ready":
            found.append(self.next())
        return [fields for fields in found if fields]

    def stop(self) -> None:
        """Go away, as Django's handler does for a client that went."""
        if self._lines is not None:
            self._loop.run(self._lines.aclose())  # type: ignore[attr-defined]  # an async generator
        self.response.close()


@pytest.fixture
def live(transactional_db: None) -> Any:
    """A loop for streams."""
    loop = LiveLoop()
    yield loop
    loop.stop()


@pytest.mark.django_db(transaction=True)
def test_the_stream_sends_what_was_missed_and_what_happens(
    live: LiveLoop, developer: User, project: Project
) -> None:
    missed = make_issue(project, by=developer)
    stream = Stream(live, developer, "?after=0")
    assert stream.response["Content-Type"] == "text/event-stream"
    first, ready = stream.events()
    assert (first["event"], first["id"]) == ("ISSUE_CREATED", str(head().last_seq))
    assert orjson.loads(first["data"])["issue"]["id"] == str(missed.pk)
    assert "id" not in ready
    assert orjson.loads(ready["data"]) == {"type": "ready", "seq": head().last_seq, "log": str(head().log_id)}
    later = make_issue(project, by=developer)
    assert orjson.loads(stream.next(2)["data"])["issue"]["id"] == str(later.pk)
    stream.stop()


@pytest.mark.django_db(transaction=True)
def test_the_header_goes_before_the_parameter(live: LiveLoop, developer: User, project: Project) -> None:
    make_issue(project, by=developer)
    stream = Stream(live, developer, "?after=0", **{"Last-Event-ID": str(head().last_seq)})
    assert [fields["event"] for fields in stream.events()] == ["ready"]
    stream.stop()


@pytest.mark.django_db(transaction=True)
def test_a_number_above_the_head_means_resync(live: LiveLoop, developer: User) -> None:
    stream = Stream(live, developer, "?after=99999999")
    assert [fields["event"] for fields in stream.events()] == ["resync", "ready"]
    stream.stop()


@pytest.mark.django_db(transaction=True)
def test_the_stream_ends_with_the_sign_in(live: LiveLoop, developer: User) -> None:
    from accounts.services.users import deactivate_user
    from tests.make import make_user

    stream = Stream(live, developer)
    stream.events()
    deactivate_user(developer.pk, by=caller(make_user("admin")))
    with pytest.raises(StopAsyncIteration):
        stream.next(5)


@pytest.mark.django_db(transaction=True)
def test_a_comment_keeps_the_stream_open(
    live: LiveLoop, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issues.live.stream.COMMENT_SECONDS", 0.2)
    stream = Stream(live, developer)
    stream.events()
    assert stream.next(2) == {}
    stream.stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", ["?after=x", "?project=NONE", "?x=1"])
def test_a_bad_parameter_of_the_stream_is_named(live: LiveLoop, developer: User, wrong: str) -> None:
    answer = Stream(live, developer, wrong).response
    assert answer.status_code == 400
    assert list(orjson.loads(answer.content)["details"]["fields"]) == [wrong[1:].split("=")[0]]


@pytest.mark.django_db(transaction=True)
def test_rights_that_changed_meanwhile_mean_resync(live: LiveLoop, developer: User, admin: User) -> None:
    from accounts.services.users import set_role

    since = head().last_seq
    set_role(developer.pk, by=caller(admin), role="maintainer")
    for query, headers in ((f"?after={since}", {}), ("", {"Last-Event-ID": str(since)})):
        stream = Stream(live, developer, query, **headers)
        assert [fields["event"] for fields in stream.events()] == ["resync", "ready"]
        stream.stop()


@pytest.mark.django_db(transaction=True)
def test_streams_that_nobody_reads_yet_count_and_are_given_back(live: LiveLoop, developer: User) -> None:
    opened = [Stream(live, developer) for _ in range(20)]
    assert {stream.response.status_code for stream in opened} == {200}
    assert Stream(live, developer).response.status_code == 429
    opened.pop().response.close()  # never started
    opened.append(Stream(live, developer))
    assert opened[-1].response.status_code == 200
    assert Stream(live, developer).response.status_code == 429
    opened[0].events()
    opened.pop(0).stop()
    opened.append(Stream(live, developer))
    assert opened[-1].response.status_code == 200
    opened.pop()  # neither started nor closed: the request was dropped before its reply
    gc.collect()
    opened.append(Stream(live, developer))
    assert opened[-1].response.status_code == 200
    for stream in opened:
        stream.response.close()


def test_a_place_is_taken_in_one_step() -> None:
    user_id = uuid.uuid4()
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: places.take(user_id), range(100)))
    assert sum(place is not None for place in held) == places.MOST
    for place in held:
        if place is not None:
            place.release()
            place.release()
    assert places.take(user_id) is not None


@pytest.mark.django_db
def test_a_page_ends_early_where_its_frames_are_large(
    developer: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_issue(project, by=developer)
    for _ in range(6):
        make_comment(issue, by=developer, body="x" * 3000)
    number_events()
    client = api(developer)
    whole = client.get(URL, {"limit": 1000}).json()["results"]
    for most, frames in ((10_000, 3), (1, 1)):
        monkeypatch.setattr("issues.api.events.PAGE_BYTES", most)
        after, found, has_more = 0, [], True
        while has_more:
            page = client.get(URL, {"limit": 1000, "after": after}).json()
            assert 1 <= len(page["results"]) <= frames
            found += page["results"]
            after, has_more = page["next_after"], page["has_more"]
        assert found == whole
