"""The embedded mode with two processes on one file: they wait for each other, and nothing is refused."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.load import Load
from tests.faults.log import check_whole
from tests.processes import ROOT, ServerProcess, environment, free_port

pytestmark = [pytest.mark.faults]

WRITERS = 16


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[list[ServerProcess], str]]:
    """Two embedded servers on one SQLite file, and a maintainer's token."""
    env = environment(tmp_path, port=0, RATE_LIMITS="off", PYTHONPATH=str(ROOT))
    for command in (["manage.py", "migrate", "-v0"], ["tests/faults/prepare.py"]):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *command], cwd=ROOT, env=env, check=True, capture_output=True
        )
    servers = []
    for number in range(2):
        port = free_port()
        own = env | {"PORT": str(port)}
        command = ["-W", "ignore", "manage.py", "serve"]
        servers.append(ServerProcess(command, port=port, env=own, log=tmp_path / f"log{number}"))
    for server in servers:
        server.wait_until_it_answers("/health/live")
    yield servers, json.loads(done.stdout)["maintainer"]
    for server in servers:
        server.stop()


def test_sixteen_writers_in_two_processes_all_get_through(
    two_servers: tuple[list[ServerProcess], str], tmp_path: Path
) -> None:
    servers, token = two_servers
    turns = itertools.cycle(servers)

    def connect() -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{next(turns).base_url}/api/v1", headers=headers, timeout=60)

    with Load(connect, clients=WRITERS, pause_seconds=0) as load:
        time.sleep(5)

    assert set(load.statuses) == {200, 201}
    assert len(load.created) >= WRITERS
    time.sleep(1.5)  # the poller of each process looks every second for events without a number
    versions = check_whole(tmp_path / "tracker.sqlite3")
    assert versions == {key: 1 + load.steps[key] for key in load.created.values()}
