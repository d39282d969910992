"""A pytest plugin: the whole product as one real process, for tests that need sockets or a browser."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, ServerProcess, environment, free_port

PREPARE = """
import django
django.setup()
from django.core.management import call_command
from tracker.server.static import collect_static_files
call_command("migrate", verbosity=0)
collect_static_files()
"""


def prepare(data_dir: Path, **settings: str) -> None:
    """Make an empty database and the static files in `data_dir`."""
    env = environment(data_dir, port=0, **settings)
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=env, check=True)


def copy_of(prepared: Path, target: Path) -> Path:
    """Return a data directory with a copy of the database; the static files are shared."""
    target.mkdir()
    (target / "static").symlink_to(prepared / "static")
    for path in prepared.iterdir():
        if path.is_file():
            shutil.copy(path, target)
    return target


def serve(data_dir: Path, **settings: str) -> ServerProcess:
    """Start `manage.py serve` on the database in `data_dir`, and return when it answers."""
    port = free_port()
    env = environment(data_dir, port=port, **settings)
    running = ServerProcess(["manage.py", "serve"], port=port, env=env, log=data_dir / f"serve-{port}.log")
    running.wait_until_it_answers("/health/live")
    return running


def manage(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a management command beside the server, and return what it wrote."""
    env = environment(data_dir, port=0) | settings
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def empty_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a migrated and empty SQLite database; use a `copy_of` it."""
    path = tmp_path_factory.mktemp("data")
    prepare(path)
    return path


@pytest.fixture(scope="session")
def served(empty_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The product, served with an empty database. Its `data_dir` is where `manage` finds it."""
    path = copy_of(empty_data_dir, tmp_path_factory.mktemp("served") / "data")
    running = serve(path, RATE_LIMITS="off")
    yield running
    running.stop()
