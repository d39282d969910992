"""Services and processes of these tests' own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.services import OwnPostgres, OwnRedis, postgres_programs
from tests.faults.site import Site


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL of this file's own."""
    if postgres_programs() is None:
        pytest.skip("needs the programs of a PostgreSQL server")
    # Not one of pytest's folders: they are for their owner alone, and PostgreSQL has an account of its own.
    with tempfile.TemporaryDirectory(prefix="tracker-postgres-") as folder:
        server = OwnPostgres(Path(folder))
        yield server
        server.stop("immediate")


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """A Redis of this file's own."""
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.go_on()
    server.kill()


@pytest.fixture(scope="module")
def site(
    own_postgres: OwnPostgres, own_redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The product in full mode."""
    running = Site(tmp_path_factory.mktemp("site"), postgres=own_postgres, redis=own_redis)
    yield running
    running.stop()
