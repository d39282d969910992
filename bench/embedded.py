"""The embedded mode: one process and SQLite."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.databases import ROOT
from bench.machine import wait_for_quiet
from bench.report import Verdict
from bench.servers import Server, environment
from bench.works import CREATE, LIST, WORKS, Facts, Work
from bench.wrk import Load, run_wrk

CLIENTS: Final = 8
GOALS_MS: Final = {LIST: 100, CREATE: 150}


def measure_embedded(count: int, *, folder: Path, seconds: int, say: Callable[[str], None]) -> list[Verdict]:
    """Fill a file, serve it, and measure what eight clients wait for."""
    data = folder / "embedded"
    data.mkdir()
    env = environment(data, LOG_LEVEL="ERROR")
    said = _python(["bench.fill", str(count)], env)
    facts = json.loads(_python(["bench.probe"], env).splitlines()[-1])
    say(f"\nEmbedded mode, {count:,} issues, {CLIENTS} clients ({said.strip()})")
    (data / "facts.txt").write_text(next(work for work in WORKS if work.name == CREATE).body(facts))
    server = Server(data)
    try:
        found = {
            work.name: _measure(server, work, facts, seconds=seconds, body=data / "facts.txt")
            for work in WORKS
            if work.name in GOALS_MS
        }
    finally:
        server.stop()
    for name, load in found.items():
        times = f"p50 {load.p50:.0f} ms, p95 {load.p95:.0f} ms"
        say(f"  {name}: {load.rate:.0f} req/s, {times}, failed {load.failed}")
    return [
        Verdict(
            f"embedded, {name}",
            f"p95 under {GOALS_MS[name]} ms",
            f"{load.p95:.0f} ms",
            load.p95 < GOALS_MS[name],
        )
        for name, load in found.items()
    ]


def _measure(server: Server, work: Work, facts: Facts, *, seconds: int, body: Path) -> Load:
    wait_for_quiet(8)
    for duration in (1, seconds):
        load = run_wrk(
            server.url + work.path(facts),
            headers=work.headers(facts),
            seconds=duration,
            script=work.script,
            facts=body,
            connections=CLIENTS,
        )
    return load


def _python(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603  ours
        [sys.executable, "-m", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout
