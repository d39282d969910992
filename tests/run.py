"""`make test`: the whole suite on SQLite, again on PostgreSQL and Redis where they answer, and what ran.

Ends with one line that names what ran, and with 0 where all of that passed. With `REQUIRE_ALL=1` it is
an error too if the tests of SQLite, PostgreSQL, Redis or the browser did not run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import redis
from psycopg import sql

from tests.checkout import CHECKOUT

ROOT: Final = Path(__file__).resolve().parent.parent
_OWN: Final = ("TEST_DATABASE_URL", "TEST_REDIS_URL", "TEST_DATA_DIR", "TEST_RUN")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the suite: whether its tests ran, and if not, why."""

    name: str
    passed: int
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name} yes ({self.passed} passed)" if self.passed else f"{self.name} no ({self.reason})"


def main() -> int:
    """Run the suite on each database, say what ran, and return the exit code."""
    database_url = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
    redis_url = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379/15"
    no_postgres, no_redis = _why_no_postgres(database_url), _why_no_redis(redis_url)

    is_good, here = _run_suite("SQLite", {})
    there: Counter[str] = Counter()
    if not no_postgres:
        services = {"TEST_DATABASE_URL": database_url, "TEST_REDIS_URL": "" if no_redis else redis_url}
        only = "not browser and not embedded and not faults"
        is_good_there, there = _run_suite("PostgreSQL", services, "-m", only)
        is_good = is_good and is_good_there
    parts = [
        Part("SQLite", here["all"], "nothing passed"),
        Part("PostgreSQL", there["all"], no_postgres or "nothing passed"),
        Part("Redis", there["redis"], no_postgres or no_redis or "nothing passed"),
        Part("browser", here["browser"], "Chromium is not installed, or nothing passed"),
        Part("faults", here["faults"], "no PostgreSQL or Redis server is installed, or nothing passed"),
    ]
    _say(f"ran: {', '.join(map(str, parts))}")
    is_whole = all(part.passed for part in parts)
    if os.environ.get("REQUIRE_ALL") and not is_whole:
        _say("failed: a part of the suite did not run")
        return 1
    return 0 if is_good else 1


def _run_suite(name: str, services: Mapping[str, str], *arguments: str) -> tuple[bool, "Counter[str]"]:
    """Run pytest in processes of its own; return whether it passed, and what did for each service."""
    _say(f"--- on {name}")
    with tempfile.TemporaryDirectory(prefix="tracker-report-") as folder:
        report = Path(folder) / "report.json"
        inherited = {key: value for key, value in os.environ.items() if key not in _OWN}
        environment = {**inherited, **services, "TEST_REPORT": str(report)}
        workers = os.environ.get("TEST_WORKERS", "2")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            workers,
            "--dist",
            "loadfile",
            *arguments,
            *sys.argv[1:],
        ]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if not report.is_file():
            _say(f"pytest ended before its end, with code {code}")
        counts = Counter(json.loads(report.read_text())) if report.is_file() else Counter[str]()
    return code == 0, counts


def _why_no_postgres(url: str) -> str:
    try:
        with psycopg.connect(url, connect_timeout=3, autocommit=True) as connection:
            _drop_left_over(connection)
    except psycopg.Error as error:
        return f"not reachable: {str(error).strip().splitlines()[0]}"
    return ""


def _why_no_redis(url: str) -> str:
    try:
        redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.RedisError as error:
        return f"not reachable: {error}"
    return ""


def _drop_left_over(connection: "psycopg.Connection[tuple[str]]") -> None:
    """Drop the databases of runs of this checkout that were killed; their names hold the process."""
    prefix = f"test_tracker_{CHECKOUT}_"
    names = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    for (name,) in names.fetchall():
        process = name.removeprefix(prefix).partition("_")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
