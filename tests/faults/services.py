"""A PostgreSQL and a Redis that belong to one test run, so that they may be stopped, hung and killed."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import psycopg
import redis

from tests.processes import free_port

START_SECONDS: Final = 30


def postgres_programs() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl`, of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class OwnPostgres:
    """A cluster in a folder of its own. It syncs to the disk as in production."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        assert programs is not None
        self._programs, self._folder, self._data = programs, folder, folder / "data"
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self._owner = "postgres" if os.geteuid() == 0 else None
        if self._owner:
            shutil.chown(folder, self._owner)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        self.start()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE tracker")

    @property
    def url(self) -> str:
        """The address of the product's database."""
        return self.url_of("tracker")

    def url_of(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "start", "--wait", f"--timeout={START_SECONDS}", "--silent",
                  f"--log={self._folder / 'log'}", f"--options={options}")  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """Stop; `immediate`: as if it crashed."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def restart(self) -> None:
        """End it as a crash does and start it again; it recovers from its log."""
        self.stop("immediate")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), f"--pgdata={self._data}", *arguments]
        with (self._folder / "commands").open("ab") as output:
            done = subprocess.run(
                command, stdout=output, stderr=output, user=self._owner, cwd=self._folder, check=False,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        assert done.returncode == 0, (self._folder / "commands").read_text()


class OwnRedis:
    """A Redis that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "no", "--dir", str(self._folder), "--logfile", "redis.log"]  # fmt: skip
        self._process = subprocess.Popen(command, cwd=self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "Redis does not start"
            time.sleep(0.02)

    def hang(self) -> None:
        """Let it take connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End the hang."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it; its port refuses from now on, and what it held is gone."""
        self._process.kill()
        self._process.wait()

    def empty(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
