"""Full mode as a real process with a PostgreSQL database and free ports of its own."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.checkout import CHECKOUT
from tests.processes import ServerProcess, environment, free_port

_MARKS: Final = {
    "http": b"granian",
    "sockets": b"serve_sockets",
    "worker": b"worker",
    "beat": b"beat",
}


@dataclass(frozen=True, slots=True)
class FullMode:
    """A running full mode."""

    server: ServerProcess
    socket_port: int
    settings: dict[str, str]

    @property
    def url(self) -> str:
        """Where pages and the API are."""
        return self.server.base_url

    @property
    def sockets_url(self) -> str:
        """Where sockets and the event stream are."""
        return f"http://127.0.0.1:{self.socket_port}"

    def processes(self) -> set[tuple[str, int]]:
        """Return what the supervisor runs: names of programs and ids of processes."""
        (supervisor,) = children_of(self.server.process.pid)
        return {(_name_of(number), number) for number in children_of(supervisor)}

    def descendants(self) -> list[int]:
        """Return the ids of all processes below the first."""
        return _below(self.server.process.pid)


@contextmanager
def own_database() -> Iterator[str]:
    """Give the address of an empty PostgreSQL database, which goes away afterwards."""
    server = urlsplit(os.environ["TEST_DATABASE_URL"])
    name = f"test_tracker_{CHECKOUT}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(urlunsplit(server), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(server._replace(path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def full_mode(data_dir: Path, **settings: str) -> Iterator[FullMode]:
    """Start full mode with an empty database, and return when it is ready."""
    port, socket_port = free_port(), free_port()
    with own_database() as database_url:
        own = {
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ["TEST_REDIS_URL"],
            "WS_PORT": str(socket_port),
            "SOCKET_PROCESSES": "2",
            "HTTP_WORKERS": "2",
            "TASK_PROCESSES": "1",
            "RATE_LIMITS": "off",
            **settings,
        }
        server = ServerProcess(
            ["manage.py", "serve_full", "--migrate"],
            port=port,
            env=environment(data_dir, port=port, **own),
            log=data_dir / "full.log",
        )
        try:
            server.wait_until_it_answers("/health/ready", within_seconds=120)
            yield FullMode(server, socket_port, own)
        finally:
            server.stop(within_seconds=30)


def children_of(parent: int) -> list[int]:
    """Return the ids of a process's children (Linux)."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def _below(parent: int) -> list[int]:
    found: list[int] = []
    for child in children_of(parent):
        found += [child, *_below(child)]
    return found


def _name_of(number: int) -> str:
    words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    return next((name for name, mark in _MARKS.items() if mark in words), "not yet")
