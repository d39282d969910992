"""`make bench`: fills databases, starts the servers, measures, and writes `docs/performance.md`.

`QUICK=1`: a tenth of the issues, one round, nothing written. `KEEP=1`: filled databases stay for later.
`BENCH_DATABASE_URL`, `BENCH_REDIS_URL`: where; 127.0.0.1 unless given.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from bench import databases
from bench.embedded import measure_embedded
from bench.imports import measure_import
from bench.live import Write, measure
from bench.machine import in_words, memory_of, wait_for_quiet
from bench.report import Verdict, write_document
from bench.rounds import Measured, Rounds
from bench.servers import Server, environment
from bench.works import CREATE, EMPTY, WORKS

MOST_GROWTH: Final = 1.3
LIVE_GOALS: Final = {200: 60, 1_000: 400}
WEB_MB: Final = 150
SOCKETS_MB: Final = 200
IMPORT_RATE: Final = 3_000
IMPORT_MB: Final = 200


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    issues: int
    grown: int
    rounds: int
    seconds: int
    writes: int
    embedded: int
    imported: int


FULL: Final = Extent(
    issues=100_000, grown=1_000_000, rounds=2, seconds=3, writes=60, embedded=10_000, imported=100_000
)
QUICK: Final = Extent(issues=10_000, grown=0, rounds=1, seconds=2, writes=20, embedded=2_000, imported=2_000)


class Run:
    """One run, with all that it said."""

    def __init__(self, extent: Extent, folder: Path) -> None:
        self.extent, self.folder = extent, folder
        self.said: list[str] = []
        self.verdicts: list[Verdict] = []

    def say(self, text: str) -> None:
        """Print, and keep."""
        self.said.append(text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def all(self) -> None:
        """Measure everything."""
        extent = self.extent
        self.say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}, {in_words()}")
        self.say(f"{databases.version()}, client and servers on the same machine, 16 connections\n")
        try:
            at_first = self._full_mode(extent.issues, has_sockets=True)
            if extent.grown:
                self._growth(at_first, self._full_mode(extent.grown, has_sockets=False))
        finally:
            if not os.environ.get("KEEP"):
                for count in (extent.issues, extent.grown):
                    databases.drop(databases.filled_name(count))
        for verdict in measure_embedded(
            extent.embedded, folder=self.folder, seconds=extent.seconds, say=self.say
        ):
            self.verdicts.append(verdict)
        self.say("\nGoals")
        for verdict in self.verdicts:
            self.say(verdict.line())

    def _full_mode(self, count: int, *, has_sockets: bool) -> Measured:
        with self._copy_of_filled(count) as database:
            data = self.folder / f"full-{count}"
            data.mkdir()
            server = Server(data, database=database)
            try:
                self.say(f"Full mode, {count:,} issues")
                rounds = Rounds(server, database=database, folder=data, say=lambda _text: None)
                found = rounds.run(rounds=self.extent.rounds, seconds=self.extent.seconds)
                self.say(found.table() + "\n")
                if has_sockets:
                    self.verdicts += found.verdicts()
                    self._sockets(server, found)
                    self._memory(server, "web", "HTTP worker", WEB_MB)
                    self._import(server, found)
            finally:
                server.stop()
        return found

    def _sockets(self, server: Server, found: Measured) -> None:
        create = next(work for work in WORKS if work.name == CREATE)
        for number, goal in LIVE_GOALS.items():
            wait_for_quiet(8)
            spread = asyncio.run(
                measure(
                    url=server.url,
                    socket_port=server.socket_port,
                    tokens=found.facts["listeners"],
                    sockets=number,
                    writes=self.extent.writes,
                    write=Write(create.headers(found.facts), create.body(found.facts)),
                    while_open=partial(self._memory_of_sockets, server, number),
                )
            )
            text = f"p50 {spread.p50:.0f} ms, p99 {spread.p99:.0f} ms, lost {spread.lost}"
            self.say(f"live, {number:,} sockets, answer → last client: {text}")
            is_met = spread.p99 <= goal and not spread.lost
            goal_text = f"p99 at most {goal} ms, none lost"
            self.verdicts.append(Verdict(f"live, {number:,} sockets", goal_text, text, is_met))

    def _memory_of_sockets(self, server: Server, number: int) -> None:
        self._memory(server, "sockets", f"socket process, {number:,} clients", SOCKETS_MB)

    def _memory(self, server: Server, kind: str, name: str, most: int) -> None:
        sizes = [memory_of(each) for each in server.processes(kind)]
        largest = max(sizes, default=0.0)
        self.say(f"memory, {name}: {', '.join(f'{size:.0f}' for size in sizes)} MB")
        self.verdicts.append(
            Verdict(f"memory, {name}", f"at most {most} MB", f"{largest:.0f} MB", 0 < largest <= most)
        )

    def _import(self, server: Server, found: Measured) -> None:
        wait_for_quiet(8)
        run = measure_import(server, found.facts, rows=self.extent.imported)
        text = f"{run.rate:.0f} rows a second, {run.memory_mb:.0f} MB"
        self.say(f"import of {self.extent.imported:,} CSV rows: {run.state}, {run.rows:,} made, {text}")
        is_met = run.rate >= IMPORT_RATE and run.memory_mb < IMPORT_MB and run.rows == self.extent.imported
        goal = f"at least {IMPORT_RATE:,} rows a second, under {IMPORT_MB} MB"
        self.verdicts.append(Verdict("import of CSV rows", goal, text, is_met))

    def _growth(self, at_first: Measured, grown: Measured) -> None:
        sizes = f"{self.extent.issues:,} to {self.extent.grown:,}"
        self.say(f"Growth from {sizes} issues: time a request, against “{EMPTY}”")
        for work in WORKS:
            if work.name != EMPTY:
                ratio = at_first.share(work.name, EMPTY) / grown.share(work.name, EMPTY)
                self.say(f"  {work.name:<34} {ratio:.2f} ×")
                goal = f"at most {MOST_GROWTH} × at ten times the issues"
                self.verdicts.append(
                    Verdict(f"growth, {work.name}", goal, f"{ratio:.2f} ×", ratio <= MOST_GROWTH)
                )
        self.say("")

    def _make(self, name: str, count: int) -> None:
        smaller = databases.filled_name(self.extent.issues)
        if count == self.extent.grown and databases.exists(smaller):
            times = count // self.extent.issues
            databases.create(name, template=smaller)
            _python(["-m", "bench.grow", str(times)], self.folder, name)
            self.say(f"grown: {times} times what was filled")
        else:
            databases.create(name)
            self.say(_fill(self.folder, name, count))

    @contextmanager
    def _copy_of_filled(self, count: int) -> Iterator[str]:
        filled = databases.filled_name(count)
        if not databases.exists(filled):
            self._make(filled, count)
            databases.seal(filled)
        name = f"tracker_bench_run_{os.getpid()}"
        databases.create(name, template=filled)
        _python(["manage.py", "migrate", "--skip-checks", "--verbosity", "0"], self.folder, name)
        try:
            yield name
        finally:
            databases.drop(name)


def main() -> int:
    """Run, and return 0: a goal that is missed is told, not an error."""
    missing = [name for name in ("wrk", "pgbench") if shutil.which(name) is None]
    if missing:
        sys.stderr.write(
            f"{' and '.join(missing)} must be installed (apt-get install wrk postgresql-contrib).\n"
        )
        return 1
    is_quick = bool(os.environ.get("QUICK"))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Run(QUICK if is_quick else FULL, Path(folder))
        run.all()
    run.say(f"\nTook {(time.monotonic() - start) / 60:.0f} minutes.")
    if not is_quick:
        write_document("\n".join(run.said))
    return 0


def _fill(folder: Path, database: str, count: int) -> str:
    return f"filled: {_python(['-m', 'bench.fill', str(count)], folder, database).strip()}"


def _python(arguments: list[str], folder: Path, database: str) -> str:
    done = subprocess.run(  # noqa: S603  ours
        [sys.executable, *arguments],
        cwd=databases.ROOT,
        env=environment(folder, database=database),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(  # noqa: S603  ours
        command, cwd=databases.ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
