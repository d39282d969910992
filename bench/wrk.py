"""Runs wrk and reads what it says; the scripts print one line of JSON at the end."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).resolve().parent / "lua"
CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What a load of requests gave; times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def run_wrk(
    url: str,
    *,
    headers: Mapping[str, str],
    seconds: float,
    script: str = "",
    facts: Path | None = None,
    connections: int = CONNECTIONS,
) -> Load:
    """Send requests for so many seconds. Raises `RuntimeError` where none came through."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{round(seconds)}s",
        "-s",
        str(SCRIPTS / (script or "get.lua")),
    ]
    for name, text in headers.items():
        command += ["-H", f"{name}: {text}"]
    command += [url, "--", str(facts or "")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=SCRIPTS)  # noqa: S603  ours
    line = next((line for line in done.stdout.splitlines() if line.startswith("{")), "")
    if not line:
        raise RuntimeError(done.stdout + done.stderr)
    return Load(**json.loads(line))
