"""Works in turn, several times over, each beside its floor: what drifts, drifts for both."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.databases import ROOT, url_of
from bench.floors import counter_sql, own_sql, run_pgbench
from bench.machine import command_of, seconds_of, tree_of, wait_for_quiet
from bench.report import Verdict, table
from bench.servers import Server, environment
from bench.works import CREATE, EMPTY, STATUS, WORKS, Goal, Work
from bench.wrk import Load, run_wrk

QUIET_SECONDS: Final = 2
HEAD: Final = (
    "work", "req/s", "p50 ms", "p99 ms", "CPU ms web", "CPU ms db", "queries", "bytes", "gzip", "SQL floor",
    "of it", "of empty", "failed", "others",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of one work. CPU in milliseconds a request."""

    load: Load
    floor: float | None
    cpu_web: float
    cpu_db: float
    others: float


@dataclass(slots=True)
class Measured:
    """All rounds of all works on one database."""

    facts: dict[str, Any]
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def rate(self, work: str) -> float:
        """Return the median of requests a second."""
        return median(each.load.rate for each in self.rounds[work])

    def share(self, work: str, of: str) -> float:
        """Return the median of the shares of `of`, each of the same round."""
        if of == "floor":
            return median(each.load.rate / each.floor for each in self.rounds[work] if each.floor)
        pairs = zip(self.rounds[work], self.rounds[of], strict=True)
        return median(each.load.rate / other.load.rate for each, other in pairs)

    def table(self) -> str:
        """Return the figures as text."""
        return table(HEAD, (self._row(work) for work in WORKS))

    def verdicts(self) -> list[Verdict]:
        """Return the goals."""
        return [verdict for work in WORKS for verdict in self._verdicts(work)]

    def _row(self, work: Work) -> list[object]:
        rounds = self.rounds[work.name]
        cost, (raw, packed) = self.facts["costs"][work.name], self.sizes.get(work.name, (0, 0))
        has_floor = any(each.floor for each in rounds)
        return [
            work.name,
            self.rate(work.name),
            median(each.load.p50 for each in rounds),
            median(each.load.p99 for each in rounds),
            median(each.cpu_web for each in rounds),
            median(each.cpu_db for each in rounds),
            cost["queries"],
            raw or None,
            packed or None,
            median(each.floor for each in rounds if each.floor) if has_floor else None,
            percent(self.share(work.name, "floor")) if has_floor else None,
            percent(self.share(work.name, EMPTY)),
            sum(each.load.failed for each in rounds),
            percent(max(each.others for each in rounds)),
        ]

    def _verdicts(self, work: Work) -> list[Verdict]:
        cost = self.facts["costs"][work.name]
        found = [self._verdict(work, goal) for goal in work.goals]
        if work.most_queries:
            asked = cost["queries"]
            found.append(
                Verdict(
                    work.name, f"at most {work.most_queries} queries", str(asked), asked <= work.most_queries
                )
            )
        if work.most_bytes:
            raw, packed = self.sizes[work.name]
            goal = f"at most {work.most_bytes:,} bytes to who takes gzip"
            found.append(Verdict(work.name, goal, f"{packed:,} ({raw:,} plain)", packed <= work.most_bytes))
        return found

    def _verdict(self, work: Work, goal: Goal) -> Verdict:
        share = self.share(work.name, goal.of)
        of = "the SQL floor" if goal.of == "floor" else f"“{goal.of}”"
        return Verdict(
            work.name, f"at least {percent(goal.share)} of {of}", percent(share), share >= goal.share
        )


def percent(share: float) -> str:
    """Return a share in words."""
    return f"{share * 100:.1f} %" if share < 0.2 else f"{share * 100:.0f} %"


def facts_of(folder: Path, database: str) -> dict[str, Any]:
    """Return what `bench.probe` finds in a database."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.probe"],
        cwd=ROOT,
        env=environment(folder, database=database, LOG_LEVEL="ERROR"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


class Rounds:
    """Measures all works on one running server."""

    def __init__(self, server: Server, *, database: str, folder: Path, say: Callable[[str], None]) -> None:
        self._server, self._database, self._folder, self._say = server, database, folder, say
        self._turn = 0
        self.measured = Measured(facts_of(folder, database))

    def run(self, *, rounds: int, seconds: int) -> Measured:
        """Warm up, then go round."""
        facts = self.measured.facts
        for work in WORKS:
            self._load(work, 1)
            if work.method == "GET":
                self.measured.sizes[work.name] = tuple(  # type: ignore[assignment]  # two of them
                    _size(self._url(work), work.headers(facts) | extra)
                    for extra in ({}, {"Accept-Encoding": "gzip"})
                )
        for number in range(rounds):
            for work in WORKS:
                others = wait_for_quiet(QUIET_SECONDS)
                self._one(work, seconds, others)
            self._say(f"  round {number + 1} of {rounds} is done")
        return self.measured

    def _one(self, work: Work, seconds: int, others: float) -> None:
        floor = self._floor(work, max(2, seconds - 1))
        web, before_web, before_db = self._server.processes("web"), 0.0, 0.0
        before_web, before_db = seconds_of(web), seconds_of(_database_processes(self._database))
        load = self._load(work, seconds)
        cpu_web = seconds_of(web) - before_web
        cpu_db = seconds_of(_database_processes(self._database)) - before_db
        each = 1000 / max(1, load.requests)
        found = Round(load, floor, cpu_web * each, cpu_db * each, others)
        self.measured.rounds.setdefault(work.name, []).append(found)

    def _floor(self, work: Work, seconds: int) -> float | None:
        facts = self.measured.facts
        if not work.floor:
            return None
        text = counter_sql(facts) if work.floor == "counter" else own_sql(facts["costs"][work.name]["sql"])
        return run_pgbench(url_of(self._database), text, folder=self._folder, seconds=seconds)

    def _load(self, work: Work, seconds: int) -> Load:
        facts = self.measured.facts
        script_facts = self._folder / "facts.txt"
        if work.name == STATUS:
            script_facts.write_text("\n".join([str(self._turn), *facts["waiting"]]) + "\n")
        elif work.name == CREATE:
            script_facts.write_text(work.body(facts))
        else:
            script_facts.write_text("\n".join(facts["keys"]) + "\n")
        load = run_wrk(
            self._url(work),
            headers=work.headers(facts),
            seconds=seconds,
            script=work.script,
            facts=script_facts,
        )
        if work.name == STATUS:
            self._turn += load.requests + 32  # those under way at the end may have come through
        return load

    def _url(self, work: Work) -> str:
        return self._server.url + work.path(self.measured.facts)


def _database_processes(database: str) -> list[int]:
    """Return the processes of PostgreSQL that serve a database."""
    return [
        each
        for each in tree_of(1)
        if command_of(each).startswith("postgres:") and database in command_of(each)
    ]


def _size(url: str, headers: Mapping[str, str]) -> int:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  ours
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        return len(reply.read())
