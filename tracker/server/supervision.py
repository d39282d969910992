"""The processes of full mode, under one supervisor that starts each again when it dies."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 8
START_SECONDS: Final = 3
TRIES: Final = (
    1_000_000  # the pause before each grows by a second; a program that ran for a while begins anew
)
_TIED: Final = Path(__file__).parent / "tied.py"


@dataclass(frozen=True, slots=True)
class Program:
    """A command that is to run always, `processes` times."""

    name: str
    command: tuple[str, ...]
    processes: int = 1


def supervisor_command(configuration: Path) -> list[str]:
    """Return the command that supervises; it ends with the process that starts it."""
    return [*_tied(), *python("-m", "supervisor.supervisord", "--nodaemon", "-c", str(configuration))]


def write_configuration(
    folder: Path, programs: list[Program], *, environment: Mapping[str, str], directory: Path
) -> Path:
    """Write the supervisor's configuration into `folder` and return its path.

    `environment`: what the programs get beside what the supervisor itself has. Secrets do not belong there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "supervisord.conf"
    path.write_text(
        "\n".join([_head(folder, environment), *(_section(item, directory) for item in programs)])
    )
    return path


def python(*arguments: str) -> tuple[str, ...]:
    """Return a command of this interpreter."""
    return (sys.executable, *arguments)


def _tied() -> tuple[str, ...]:
    return python("-I", str(_TIED))  # -I: nothing of ours hides a module of Python


def _head(folder: Path, environment: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value}"' for name, value in environment.items())
    user = "user=root\n" if os.geteuid() == 0 else ""  # said, or it warns that nothing was said
    return f"""\
; Written at each start of full mode.
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
loglevel=warn
pidfile={_plain(folder)}/supervisord.pid
childlogdir={_plain(folder)}
nocleanup=true
{user}environment={_plain(pairs)}
"""


def _group(programs: list[Program]) -> str:
    """Return one group of them all: groups are stopped one after the other."""
    return f"[group:tracker]\nprograms={','.join(program.name for program in programs)}\n"


def _section(program: Program, directory: Path) -> str:
    return f"""\
[program:{program.name}]
command={_plain(shlex.join([*_tied(), *program.command]))}
process_name=%(program_name)s_%(process_num)d
numprocs={program.processes}
directory={_plain(directory)}
autorestart=true
startsecs={START_SECONDS}
startretries={TRIES}
stopwaitsecs={STOP_SECONDS}
killasgroup=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
redirect_stderr=true
"""


def _plain(text: object) -> str:
    """Return `text` as the supervisor takes it to be meant: it expands percent signs."""
    return str(text).replace("%", "%%")
