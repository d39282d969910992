"""Real server processes for tests: on a free port, with data of their own, ended by their id."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, *, port: int, **settings: str) -> dict[str, str]:
    """Return the environment of a product process that keeps everything in `data_dir`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "TRACKER_ENV": "test",
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "tracker.settings",
        **settings,
    }


class ServerProcess:
    """A process that listens on `port`; its output is in `log`."""

    def __init__(self, arguments: list[str], *, port: int, env: Mapping[str, str], log: Path) -> None:
        self.port = port
        self.data_dir = Path(env["DATA_DIR"])
        self.base_url = f"http://127.0.0.1:{port}"
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
            )

    def wait_until_it_listens(self) -> None:
        """Return when it takes connections; fail with its output if it ends before."""
        self._wait(self._listens)

    def wait_until_it_answers(self, path: str, *, within_seconds: float = START_SECONDS) -> None:
        """Return when a GET of `path` is answered with 200."""
        self._wait(lambda: self._listens() and self.answers(path), within_seconds)

    def _wait(self, is_ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if is_ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"it does not answer:\n{self.output()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def answers(self, path: str) -> bool:
        """Whether a GET of `path` is answered with 200 now."""
        try:
            return httpx.get(f"{self.base_url}{path}", timeout=10).is_success
        except httpx.TransportError:
            return False

    def output(self) -> str:
        """Return what it wrote until now."""
        return self._log.read_text(errors="replace")

    def memory_bytes(self) -> int:
        """Return how much memory it holds (Linux)."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, sent: signal.Signals = signal.SIGTERM, *, within_seconds: float = 20) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sent)
        try:
            return self.process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
