"""What the machine is and does: processors, the time that processes took, their memory, and quiet moments."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

QUIET_SHARE: Final = 0.15
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


def in_words() -> str:
    """Return the machine as a reader can compare it with theirs."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(_PROC / "cpuinfo")
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    kilobytes = int(_lines(_PROC / "meminfo")[0].split()[1])
    return f"{os.cpu_count()} cores ({model}), {kilobytes / 1024 / 1024:.0f} GB of memory"


def tree_of(root: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in _PROC.glob("[0-9]*"):
        fields = _stat(int(path.name))
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(path.name))
    found, todo = [], [root]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += parents.get(process, [])
    return found


def command_of(process: int) -> str:
    """Return the command line of a process; empty when it has ended."""
    try:
        return (_PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def seconds_of(processes: Iterable[int]) -> float:
    """Return the processor time that these processes have taken."""
    return sum((int(fields[11]) + int(fields[12])) / _TICKS for each in processes if (fields := _stat(each)))


def memory_of(process: int) -> float:
    """Return the resident memory of a process in MB, what it shares with others included."""
    for line in _lines(_PROC / str(process) / "status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def busy_share(seconds: float = 0.4) -> float:
    """Return which share of all processors is in use, by whomever."""
    before = _busy_and_all()
    time.sleep(seconds)
    after = _busy_and_all()
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def wait_for_quiet(limit_seconds: float) -> float:
    """Wait until others leave the machine alone, but not for ever; return the share that was still in use."""
    deadline = time.monotonic() + limit_seconds
    while (share := busy_share()) > QUIET_SHARE and time.monotonic() < deadline:
        time.sleep(0.5)
    return share


def _busy_and_all() -> tuple[int, int]:
    ticks = [int(text) for text in _lines(_PROC / "stat")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _stat(process: int) -> list[str]:
    """Return the fields of a process after its name, from its state on."""
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
