"""Nothing is missed: commits in another order than their events, sockets that are cut again and again,
a Redis that does not answer."""

import asyncio
import json
import os
import random
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from django.conf import settings
from django.db import connection, connections, transaction

from accounts.models import User
from issues.events.log import read_page
from issues.events.wanted import EVERYTHING
from issues.models import Issue, Project
from issues.scope import scope_of
from issues.services.issues import create_issue, edit_issue, trash_issue
from issues.tests.live import LiveLoop, tokens_of
from tests.make import caller, fresh, make_comment, make_issue, make_project
from tests.processes import ServerProcess, environment, free_port
from tracker.events import broadcast
from tracker.events.numbering import head
from tracker.models import Event
from tracker.versions import versions_of

pytestmark = pytest.mark.django_db(transaction=True)

CUTS = 100
EVENTS = 2000


@pytest.fixture
def live(transactional_db: None) -> Iterator[LiveLoop]:
    """The application, and the sockets that a test opens."""
    loop = LiveLoop()
    yield loop
    loop.stop()


@pytest.mark.postgres
def test_two_transactions_that_commit_in_the_opposite_order_are_both_seen(
    live: LiveLoop, developer: User, admin: User
) -> None:
    """The first draws its event's id, the second draws and commits, a subscriber reads, the first commits."""
    first, second = make_project("FIRST", by=admin), make_project("SECOND", by=admin)
    socket = live.connect()
    socket.send({"type": "auth", "token": tokens_of(developer).access})
    socket.receive()
    since = socket.subscribe()[-1]["seq"]
    has_drawn, may_commit = threading.Event(), threading.Event()
    drawn: dict[str, Issue] = {}

    def commit_late() -> None:
        try:
            with transaction.atomic():
                drawn["late"] = create_issue(first.pk, by=caller(developer), fields={"title": "late"})
                has_drawn.set()
                assert may_commit.wait(20)
        finally:
            connections.close_all()

    slow = threading.Thread(target=commit_late)
    slow.start()
    assert has_drawn.wait(20)
    early = make_issue(second, by=developer, title="early")
    seen_early = socket.receive()
    assert seen_early["issue"]["id"] == str(early.pk)
    may_commit.set()
    slow.join()
    seen_late = socket.receive()
    assert seen_late["issue"]["id"] == str(drawn["late"].pk)
    assert seen_early["seq"] < seen_late["seq"]
    orders = dict(Event.objects.filter(issue_id__isnull=False).values_list("issue_id", "order"))
    assert orders[drawn["late"].pk] < orders[early.pk]
    resumed = [frame["seq"] for frame in socket.subscribe(since=since) if frame["type"] == "event"]
    assert resumed == [seen_early["seq"], seen_late["seq"]]


@pytest.mark.redis
@pytest.mark.postgres
def test_a_nudge_of_another_process_arrives_over_redis() -> None:
    arrived = threading.Event()
    stop = broadcast.on_any_nudge(arrived.set)
    try:
        assert arrived.wait(5)  # it has begun to listen
        arrived.clear()
        broadcast.Publisher().publish()
        assert arrived.wait(2)
    finally:
        stop()


@pytest.mark.parametrize("does_listen", [False, True], ids=["refused", "hung"])
def test_a_redis_that_does_not_answer_costs_a_commit_nothing(
    does_listen: bool, developer: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if does_listen:
            silent.listen()
        monkeypatch.setattr(settings, "REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        monkeypatch.setattr(broadcast, "_publisher", publisher := broadcast.Publisher())
        project = make_project("API", by=admin)
        started = time.monotonic()
        for _ in range(20):
            publisher.publish()
        assert time.monotonic() - started < 2  # waiting for each would take at least twice as long
        assert make_issue(project, by=developer).number == 1


# --- cut again and again -----------------------------------------------------------------------------
@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """The real server on the database of the test."""
    database = connection.settings_dict
    url = settings.DATABASES["default"]
    port = free_port()
    address = f"{url['USER']}:{url.get('PASSWORD', '')}@{url['HOST']}:{url['PORT'] or 5432}"
    chosen = (
        f"postgres://{address}/{database['NAME']}"
        if settings.IS_POSTGRES
        else f"sqlite:///{database['NAME']}"
    )
    env = environment(
        tmp_path,
        port=port,
        DATABASE_URL=chosen,
        JWT_SIGNING_KEY=os.environ["JWT_SIGNING_KEY"],
        RATE_LIMITS="off",
    )
    process = ServerProcess(
        ["-W", "ignore", "manage.py", "serve", "--port", str(port)], port=port, env=env, log=tmp_path / "log"
    )
    process.wait_until_it_listens()
    _wait_until_it_answers(process)
    yield process
    process.stop()


def _wait_until_it_answers(process: ServerProcess) -> None:
    """Return when the server serves; it listens a little earlier."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(f"{process.base_url}/health/live", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(process.output())


class Reader:
    """A client whose connection breaks again and again, and that resumes from the last number it has."""

    def __init__(self, url: str, token: str, *, since: int, chance: random.Random) -> None:
        self._url, self._token, self._chance = url, token, chance
        self.frames: list[dict[str, Any]] = []
        self.last = since
        self.cuts = 0
        self.is_done = threading.Event()

    async def read(self, goal: threading.Event) -> None:
        """Read until everything up to the head of the log at `goal` has come, and the cuts are made."""
        while not (goal.is_set() and self.cuts >= CUTS and await self._read_once(cut=False)):
            await self._read_once(cut=True)
            self.cuts += 1

    async def _read_once(self, *, cut: bool) -> bool:
        """Connect, resume, read some frames, break off. Without `cut`: read to the head and say so."""
        async with websockets.connect(self._url, compression=None) as socket:
            await socket.send(json.dumps({"type": "auth", "token": self._token}))
            await socket.recv()
            await socket.send(json.dumps({"type": "subscribe", "since": self.last}))
            left = self._chance.randint(1, 60)
            while left or not cut:
                try:
                    async with asyncio.timeout(0.3 if cut else 20):
                        frame = json.loads(await socket.recv())
                except TimeoutError:
                    break
                if frame["type"] == "event":
                    self.frames.append(frame)
                    self.last = frame["seq"]
                    left = max(left - 1, 0)
                elif frame["type"] == "ready" and not cut:
                    return True
            socket.transport.abort()
        return False


@pytest.mark.slow
def test_a_socket_cut_a_hundred_times_has_the_log_filtered_by_its_rights_in_order(
    server: ServerProcess, admin: User, maintainer: User, reporter: User
) -> None:
    projects = [make_project("OPEN", by=admin), make_project("HIDE", by=admin, visibility="private")]
    since = head().last_seq
    url = server.base_url.replace("http", "ws") + "/ws/"
    readers = {
        person.pk: Reader(url, tokens_of(person).access, since=since, chance=random.Random(number))
        for number, person in enumerate((maintainer, reporter))
    }
    written = threading.Event()
    threads = [
        threading.Thread(target=lambda one=reader: asyncio.run(one.read(written)))
        for reader in readers.values()
    ]
    for thread in threads:
        thread.start()
    try:
        _write_many(projects, admin=admin, maintainer=maintainer, reporter=reporter, since=since)
    finally:
        written.set()
        for thread in threads:
            thread.join(120)
    trashed = {
        str(issue_id)
        for issue_id in Issue.objects.filter(trashed_at__isnull=False).values_list("pk", flat=True)
    }
    for person in (maintainer, reporter):
        reader, user = readers[person.pk], fresh(person)
        page = read_page(
            scope=scope_of(user),
            wanted=EVERYTHING,
            after=since,
            limit=10 * EVENTS,
            versions=versions_of(user),
        )
        assert reader.cuts >= CUTS
        told = [frame for frame in reader.frames if _is_still_told(frame, trashed)]
        assert [frame["seq"] for frame in told] == [frame.seq for frame in page.frames]
        assert [frame["verb"] for frame in told] == [frame.body["verb"] for frame in page.frames]
    assert len(readers[maintainer.pk].frames) > len(readers[reporter.pk].frames) > 0
    assert "HIDE" not in json.dumps(readers[maintainer.pk].frames)


def _is_still_told(frame: dict[str, Any], trashed: set[str]) -> bool:
    """Whether the log still has it: what happened to an issue before it was trashed is told no more."""
    return frame["verb"] == "issue.trashed" or frame["issue"]["id"] not in trashed


def _write_many(
    projects: list[Project], *, admin: User, maintainer: User, reporter: User, since: int
) -> None:
    """Change things at random until the log has grown by `EVENTS`."""
    chance = random.Random(3)
    writers = [caller(person) for person in (admin, maintainer, reporter)]
    issues: list[Issue] = []
    open_issues: list[Issue] = []
    while Event.objects.filter(order__gt=since).count() < EVENTS:
        for _ in range(25):
            by = chance.choice(writers)
            kind = chance.random()
            if kind < 0.3 or not open_issues:
                project = chance.choice(projects) if by is writers[0] else projects[0]
                issue = create_issue(project.pk, by=by, fields={"title": f"Number {len(issues)}"})
                issues.append(issue)
                if project is projects[0]:
                    open_issues.append(issue)
            elif kind < 0.6:
                title = f"Title {chance.random()}"
                edit_issue(chance.choice(issues).pk, by=writers[0], changes={"title": title})
            elif kind < 0.98:
                make_comment(chance.choice(open_issues), by=maintainer, internal=chance.random() < 0.5)
            else:
                gone = chance.choice(open_issues)
                issues.remove(gone)
                open_issues.remove(gone)
                trash_issue(gone.pk, by=writers[0])
