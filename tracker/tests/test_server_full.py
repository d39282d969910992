"""`manage.py serve_full` as an operator meets it: several processes that come back, and end together."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from tests.full_mode import FullMode, full_mode
from tests.served import manage

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullMode]:
    """Full mode with an empty database of its own."""
    with full_mode(tmp_path_factory.mktemp("full")) as running:
        yield running


def wait_for(is_true: Callable[[], bool], *, seconds: float = 60) -> None:
    """Ask again and again until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def test_it_is_ready_when_everything_answers(full: FullMode) -> None:
    reply = httpx.get(f"{full.url}/health/ready", timeout=20)

    assert (reply.status_code, reply.json()) == (200, {"status": "ok", "missing": []})
    assert httpx.get(f"{full.sockets_url}/health/live", timeout=20).json()["sockets"] is True


def test_pages_name_the_other_port_and_let_the_browser_go_there(full: FullMode) -> None:
    page = httpx.get(f"{full.url}/accounts/login/", timeout=20)

    assert (
        f"connect-src 'self' {full.sockets_url.replace('http', 'ws')}"
        in page.headers["content-security-policy"]
    )


@pytest.mark.parametrize("path", ["/ws/", "/ws/projects/API/"])
def test_a_socket_on_the_wrong_port_is_told_where_to_go(full: FullMode, path: str) -> None:
    reply = httpx.get(f"{full.url}{path}", timeout=20)

    assert reply.status_code == 503
    assert full.sockets_url in reply.json()["message"]


async def test_a_socket_is_served_on_the_other_port(full: FullMode) -> None:
    async with websockets.connect(f"{full.sockets_url.replace('http', 'ws')}/ws/?token=bad") as client:
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 4401


def test_what_is_killed_comes_back(full: FullMode) -> None:
    before = full.processes()
    assert {name for name, _ in before} == {"beat", "http", "sockets", "worker"}

    for _, number in before:
        os.kill(number, signal.SIGKILL)

    wait_for(lambda: {name for name, _ in full.processes()} == {"beat", "http", "sockets", "worker"})
    assert not full.processes() & before
    wait_for(lambda: full.server.answers("/health/ready"))


def test_no_process_is_left_when_it_is_told_to_end(tmp_path: Path) -> None:
    with full_mode(tmp_path) as running:
        children = running.descendants()
        assert len(children) >= 6

        assert running.server.stop(within_seconds=30) == 0

        assert running.server.output().rstrip().endswith("Stopped.")
        assert [number for number in children if Path(f"/proc/{number}").exists()] == []


def test_no_process_is_left_when_it_is_killed(tmp_path: Path) -> None:
    with full_mode(tmp_path) as running:
        children = running.descendants()

        running.server.process.kill()

        wait_for(lambda: not any(Path(f"/proc/{number}").exists() for number in children))


@pytest.mark.parametrize("setting", ["PORT", "WS_PORT"])
def test_a_taken_port_is_refused_in_one_sentence(full: FullMode, setting: str) -> None:
    taken = full.server.port if setting == "PORT" else full.socket_port
    other = {"PORT": "1", "WS_PORT": "2"} | {setting: str(taken)}
    if setting == "WS_PORT":
        other["PORT"] = "0"
    outcome = manage(full.server.data_dir, "serve_full", **(full.settings | other))

    assert outcome.returncode != 0
    assert outcome.stderr.count("\n") == 1
    assert f"127.0.0.1:{taken}" in outcome.stderr
    assert f"Set {setting} to another" in outcome.stderr


def test_services_that_are_not_set_are_named_in_one_sentence(tmp_path: Path) -> None:
    outcome = manage(tmp_path, "serve_full")

    assert outcome.returncode != 0
    assert outcome.stderr.count("\n") == 1
    assert "DATABASE_URL and REDIS_URL" in outcome.stderr


def test_a_database_that_is_away_is_named_in_one_sentence(tmp_path: Path) -> None:
    settings = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    outcome = manage(tmp_path, "serve_full", **settings)

    assert outcome.returncode != 0
    assert "Traceback" not in outcome.stderr
    assert "The database does not answer" in outcome.stderr
