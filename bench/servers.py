"""The measured servers: full mode and embedded mode, as an operator starts them."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.databases import REDIS_URL, ROOT, url_of
from bench.machine import command_of, tree_of

START_SECONDS: Final = 180
_KEYS: Final = {"SECRET_KEY": secrets.token_urlsafe(48), "JWT_SIGNING_KEY": secrets.token_urlsafe(48)}
# By what stands in their command lines.
_MARKS: Final = {"web": ("granian", "spawn_main"), "sockets": ("serve_sockets",), "worker": ("celery",)}


def free_port() -> int:
    """Return a port that, like the one after it, nobody listens on."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def environment(folder: Path, *, database: str = "", **changed: str) -> dict[str, str]:
    """Return the environment of the product's processes; without a database that of the embedded mode."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    full = {"DATABASE_URL": url_of(database), "REDIS_URL": REDIS_URL} if database else {}
    return {
        **kept,
        **_KEYS,
        **full,
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "RATE_LIMITS": "off",
        "ACCESS_TOKEN_MINUTES": "600",
        "PYTHONUNBUFFERED": "1",
        **changed,
    }


class Server:
    """`manage.py serve` or `serve_full`; `port` is HTTP's, `socket_port` that of sockets."""

    def __init__(self, folder: Path, *, database: str = "", **changed: str) -> None:
        self.port = free_port()
        self.socket_port = self.port + 1 if database else self.port
        env = environment(folder, database=database, PORT=str(self.port), **changed)
        command = [sys.executable, "manage.py", "serve_full" if database else "serve"]
        self.log = folder / f"server-{self.port}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603  ours
                command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT
            )
        self._wait()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self, kind: str = "") -> list[int]:
        """Return its processes, or those of one kind: `web`, `sockets`, `worker`."""
        found = tree_of(self.process.pid)
        return [each for each in found if _is(kind, command_of(each))] if kind else found

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if _answers(f"{self.url}/health/ready"):
                return
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"it does not answer:\n{self.log.read_text(errors='replace')[-3000:]}")


def _is(kind: str, command: str) -> bool:
    marks: Iterable[str] = _MARKS[kind]
    return any(mark in command for mark in marks)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310  ours
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
