"""The product in full mode, on a PostgreSQL and a Redis of its own."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx

from tests.faults.services import OwnPostgres, OwnRedis
from tests.processes import ROOT, ServerProcess, environment, free_port

TOKEN_MINUTES: Final = 600
ANSWER_SECONDS: Final = 30.0


class Site:
    """Full mode, with everything that `manage.py serve_full` supervises."""

    def __init__(self, folder: Path, *, postgres: OwnPostgres, redis: OwnRedis) -> None:
        self.postgres, self.redis = postgres, redis
        port, live_port = free_port(), free_port()
        self.live_url = f"ws://127.0.0.1:{live_port}/ws/"
        self._env = environment(
            folder, port=port, WS_PORT=str(live_port), DATABASE_URL=postgres.url, REDIS_URL=redis.url,
            RATE_LIMITS="off", ACCESS_TOKEN_MINUTES=str(TOKEN_MINUTES),
        )  # fmt: skip
        self.manage("migrate", "--verbosity=0")
        known = json.loads(self._python("tests/faults/prepare.py"))
        self.admin, self.maintainer = known["admin"], known["maintainer"]
        self.project_id: str = known["project_id"]
        self._server = ServerProcess(
            ["-W", "ignore", "manage.py", "serve_full"], port=port, env=self._env, log=folder / "log"
        )
        self.base_url = self._server.base_url
        self._server.wait_until_it_answers("/health/ready", within_seconds=180)

    def client(self, token: str = "") -> httpx.Client:
        """Return an API client of the maintainer, or of whose token it is."""
        headers = {"Authorization": f"Bearer {token or self.maintainer}"}
        return httpx.Client(base_url=f"{self.base_url}/api/v1", headers=headers, timeout=ANSWER_SECONDS)

    def kill(self, part: str, chance: random.Random) -> bool:
        """`kill -9` one process whose command has `part` in it, if one runs; others start it anew."""
        found = [pid for pid in _descendants(self._server.process.pid) if part in _command(pid)]
        if found:
            os.kill(chance.choice(found), signal.SIGKILL)
        return bool(found)

    def kill_workers(self) -> None:
        """`kill -9` the worker: the process that was started first, then each that it has started."""
        started = _descendants(self._server.process.pid)
        workers = [pid for pid in started if "celery" in (command := _command(pid)) and " worker " in command]
        assert len(workers) > 1
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):  # it went with the one that started it
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End what runs."""
        self._server.stop(within_seconds=40)

    def manage(self, *arguments: str) -> str:
        """Run a command of the product and return what it says."""
        return self._python("manage.py", *arguments)

    def _python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments], cwd=ROOT, env=self._env | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and what they have."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended meanwhile
            children += map(int, task.read_text().split())
    return children + [each for child in children for each in _descendants(child)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
