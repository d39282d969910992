"""Clients that write until they are told to stop, and remember what was acknowledged."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Load:
    """Clients that file an issue and take a step with it, each in a thread.

    `created`: the keys of acknowledged creates by title; `steps`: acknowledged steps by key; `statuses`: how
    often each status came, 0 where the connection broke. What was not acknowledged is sent again with its
    idempotency key.
    """

    connect: Callable[[], httpx.Client]
    clients: int = 4
    pause_seconds: float = 0.01
    created: dict[str, str] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures

    def _run(self, number: int) -> None:
        turn = 0
        try:
            with self.connect() as client:
                while not self._stopping.is_set():
                    self._file_and_step(client, f"load {number}/{turn}")
                    turn += 1
                    self._stopping.wait(self.pause_seconds)
        except BaseException as error:  # noqa: BLE001  the thread of the test raises it
            self.failures.append(error)

    def _file_and_step(self, client: httpx.Client, title: str) -> None:
        body = {"project": "FAULT", "title": title}
        key = self._acknowledged(client, "/issues", body, once=title.replace(" ", "-"))["key"]
        self.created[title] = key
        self._acknowledged(client, f"/issues/{key}/transitions", {"to": "triaged"}, once=f"step-{key}")
        self.steps[key] += 1

    def _acknowledged(self, client: httpx.Client, path: str, body: Any, *, once: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while True:
            try:
                answer = client.post(path, json=body, headers={"Idempotency-Key": once})
            except httpx.TransportError:
                self.statuses[0] += 1
            else:
                self.statuses[answer.status_code] += 1
                if answer.is_success:
                    found: dict[str, Any] = answer.json()
                    return found
                assert answer.status_code in {409, 503}, answer.text  # its first try still runs, or not now
            assert time.monotonic() < deadline, "not acknowledged within two minutes"
            time.sleep(0.05)
