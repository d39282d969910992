"""An import by the API: how many rows a second the worker takes, and how much memory."""

import csv
import io
import json
import random
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.machine import memory_of
from bench.servers import Server
from bench.works import Facts

LIMIT_SECONDS: Final = 300
_BOUNDARY: Final = "measured"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of it."""

    rows: int
    seconds: float
    memory_mb: float
    state: str

    @property
    def rate(self) -> float:
        """Rows a second, from the upload to the end."""
        return self.rows / self.seconds


def measure_import(server: Server, facts: Facts, *, rows: int) -> Imported:
    """Send a table, and watch its worker until it is done."""
    body = _form(facts["project"], _table(rows))
    start = time.monotonic()
    run = _ask(server, facts, "/api/v1/issues/import", body)
    memory = 0.0
    while run["state"] in {"queued", "running"} and time.monotonic() < start + LIMIT_SECONDS:
        memory = max(memory, *(memory_of(each) for each in server.processes("worker")))
        time.sleep(0.25)
        run = _ask(server, facts, f"/api/v1/imports/{run['id']}")
    return Imported(run["created"], time.monotonic() - start, memory, run["state"])


def _table(rows: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["title", "description", "type", "severity", "labels"])
    chance = random.Random(rows)  # noqa: S311  no secret hangs on it
    words = (Path(__file__).parent / "words.txt").read_text().split()
    for number in range(rows):
        title, told = " ".join(chance.choices(words, k=6)), " ".join(chance.choices(words, k=22))
        label = ("backend", "docs", "")[number % 3]
        writer.writerow([title, told, ("bug", "task")[number % 2], ("low", "high")[number % 2], label])
    return text.getvalue().encode()


def _form(project: str, table: bytes) -> bytes:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="project"\r\n\r\n{project}\r\n'
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="t.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return head.encode() + table + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _ask(server: Server, facts: Facts, path: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(server.url + path, data=body)  # noqa: S310  ours
    request.add_header("Authorization", f"Bearer {facts['token']}")
    if body is not None:
        request.add_header("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
    with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310
        found: dict[str, Any] = json.loads(reply.read())
    return found
