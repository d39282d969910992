"""Databases of the measurement's own: made, filled, copied, dropped."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT: Final = Path(__file__).resolve().parent.parent
SERVER_URL: Final = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL: Final = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/14")
_PREFIX: Final = "tracker_bench"


def url_of(name: str) -> str:
    """Return the address of a database on the measured server."""
    return urlunsplit(urlsplit(SERVER_URL)._replace(path=f"/{name}"))


def filled_name(count: int) -> str:
    """Return the name of the database with so many issues of this plan; newer tables are migrated to."""
    digest = hashlib.sha256()
    for name in ("plan", "frame", "load"):
        digest.update((ROOT / "bench" / f"{name}.py").read_bytes())
    return f"{_PREFIX}_{count}_{digest.hexdigest()[:8]}"


def exists(name: str) -> bool:
    """Whether there is such a database, wholly filled."""
    with _server() as server:
        query = "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate"
        return server.execute(query, [name]).fetchone() is not None


def create(name: str, *, template: str = "template1") -> None:
    """Make a database, a copy of `template`; one of that name is dropped before."""
    drop(name)
    with _server() as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def seal(name: str) -> None:
    """Mark a database as wholly filled."""
    with _server() as server:
        server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))


def drop(name: str) -> None:
    """Drop a database that this module made, if it is there."""
    if not name.startswith(_PREFIX):
        raise ValueError(f"{name} is not ours")
    with _server() as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def version() -> str:
    """Return the server's version in words."""
    with _server() as server:
        row = server.execute("SHOW server_version").fetchone()
    return f"PostgreSQL {str(row[0]).split()[0]}" if row else "PostgreSQL"


@contextlib.contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(SERVER_URL, autocommit=True) as connection:
        yield connection
