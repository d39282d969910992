"""`manage.py serve` as a user meets it: starts, works, refuses in one sentence, ends in order."""

import re
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from tests.processes import ServerProcess
from tests.served import copy_of, manage, serve

pytestmark = pytest.mark.embedded
MIB = 1024 * 1024


def wait_for(is_true: object, *, seconds: float = 20) -> None:
    """Ask again and again until the answer is yes."""
    assert callable(is_true)
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.fixture
def data_dir(empty_data_dir: Path, tmp_path: Path) -> Path:
    """A fresh copy of an empty database."""
    return copy_of(empty_data_dir, tmp_path / "data")


@pytest.fixture(scope="module")
def fresh(empty_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server in which nobody has an account; `served` may have been filled by other tests."""
    running = serve(copy_of(empty_data_dir, tmp_path_factory.mktemp("fresh") / "data"))
    yield running
    running.stop()


def test_it_prints_a_set_up_link_that_opens_while_nobody_has_an_account(fresh: ServerProcess) -> None:
    wait_for(lambda: "/setup/" in fresh.output())
    link = re.search(r"http://\S+/setup/\S+/", fresh.output())
    assert link is not None

    assert httpx.get(link.group()).status_code == 200
    assert httpx.get(f"{fresh.base_url}/setup/wrong/").status_code == 404


def test_a_page_brings_its_style_sheets_to_keep_for_ever(fresh: ServerProcess) -> None:
    page = httpx.get(f"{fresh.base_url}/accounts/login/")
    sheets = re.findall(r'<link rel="stylesheet" href="(/static/[^"]+)"', page.text)
    assert sheets

    for sheet in sheets:
        reply = httpx.get(fresh.base_url + sheet)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]


def test_beat_and_worker_run_the_sweep(fresh: ServerProcess) -> None:
    def runs() -> int:
        with sqlite3.connect(fresh.data_dir / "tracker.sqlite3") as database:
            query = "SELECT total_run_count FROM django_celery_beat_periodictask WHERE task = ?"
            return int(database.execute(query, ["tracker.tasks.sweep"]).fetchone()[0])

    wait_for(lambda: runs() > 0)


def test_the_sweep_numbers_what_a_crash_left(data_dir: Path) -> None:
    database = data_dir / "tracker.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO tracker_event"
            " (id, verb, at, recorded_at, source, request_id, issue_key, internal, changes, data)"
            " VALUES ('0197', 'team.created', '2026-01-01', '2026-01-01', 'system', '', '', 0, '{}', '{}')"
        )
    connection.close()
    running = serve(data_dir)

    def is_numbered() -> bool:
        with sqlite3.connect(database) as connection:
            row: tuple[int | None] = connection.execute("SELECT seq FROM tracker_event").fetchone()
        return row == (1,)

    wait_for(is_numbered)
    running.stop()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_with_code_0_within_seconds(data_dir: Path, sent: signal.Signals) -> None:
    running = serve(data_dir)
    started = time.monotonic()

    assert running.stop(sent) == 0
    assert time.monotonic() - started < 15
    assert running.output().rstrip().endswith("Stopped.")
    assert "Traceback" not in running.output()


def test_a_taken_port_is_refused_in_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        outcome = manage(data_dir, "serve", PORT=str(port))

    assert outcome.returncode != 0
    assert outcome.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in outcome.stderr


def test_a_database_that_is_not_migrated_is_refused_in_one_sentence(tmp_path: Path) -> None:
    outcome = manage(tmp_path, "serve")

    assert outcome.returncode != 0
    assert outcome.stderr == "CommandError: The database is not up to date; run: python manage.py migrate\n"


def test_it_migrates_where_it_is_asked_to(tmp_path: Path) -> None:
    outcome = manage(tmp_path, "serve", "--migrate", "--host", "192.0.2.1")  # an address of nobody

    assert "Cannot listen on 192.0.2.1" in outcome.stderr
    assert manage(tmp_path, "migrate", "--check").returncode == 0


def test_production_without_secrets_is_refused(data_dir: Path) -> None:
    outcome = manage(data_dir, "serve", TRACKER_ENV="production")

    assert outcome.returncode != 0
    assert "SECRET_KEY" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_upload_of_300_mb_by_nobody_is_refused_by_the_product(fresh: ServerProcess) -> None:
    head = f"POST /api/v1/issues HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {300 * MIB}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"E_TOO_LARGE"' in answer


@pytest.mark.parametrize("path", ["/elsewhere", "/ws/projects/NONE/deeper/"])
async def test_a_socket_on_an_unknown_path_is_closed_with_4404(fresh: ServerProcess, path: str) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{fresh.port}{path}") as client:
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 4404


async def test_a_socket_with_a_bad_token_is_accepted_and_closed_with_4401(fresh: ServerProcess) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{fresh.port}/ws/?token=canary-token") as client:
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 4401
    assert "canary-token" not in fresh.output()


def test_a_request_is_one_line_of_the_log_without_its_query(fresh: ServerProcess) -> None:
    httpx.get(f"{fresh.base_url}/api/v1/issues?q=canary-words", headers={"X-Request-ID": "known-id"})

    wait_for(lambda: "known-id" in fresh.output())
    line = next(line for line in fresh.output().splitlines() if "known-id" in line)
    assert "method=GET" in line
    assert "path=/api/v1/issues" in line
    assert "status=401" in line
    assert "canary-words" not in fresh.output()
