"""`manage.py doctor`: one command that proves that an installation keeps its promises."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from tracker.doctor import Depth, Examination, examinations


class Command(BaseCommand):
    """Examines settings, database, log, rows, files and processes; ends with 1 where a promise is broken."""

    help = "Examine this installation; each fault is one sentence, and the exit code is 1 where there is one."
    requires_system_checks: list[str] = []  # noqa: RUF012  they are the first examination

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how thorough to be."""
        parser.add_argument("--all", action="store_true", help="every row, where otherwise a sample is read")
        parser.add_argument(
            "--running", action="store_true", help="it is a fault too where Redis, workers or beat are away"
        )

    def handle(self, *, all: bool, running: bool, **_: Any) -> None:
        """Examine one after the other, and say what was found."""
        count, depth = 0, Depth.EVERYTHING if all else Depth.SAMPLE
        for examination in examinations:
            faults = _faults(examination, depth)
            is_counted = running or not examination.of_processes
            mark = "ok" if not faults else "FAULT" if is_counted else "away"
            self.stdout.write(f"{mark:6} {examination.name}")
            for sentence in faults:
                self.stdout.write(f"       {sentence}")
            count += len(faults) if is_counted else 0
        if count:
            raise CommandError(f"{count} faults.")
        self.stdout.write("Every promise that was examined is kept.")


def _faults(examination: Examination, depth: Depth) -> list[str]:
    try:
        return examination.faults(depth)
    except DatabaseError as error:
        return [f"The database does not answer it: {(str(error).splitlines() or ['?'])[0]}"]
