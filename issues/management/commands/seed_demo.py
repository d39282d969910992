"""`manage.py seed_demo`: sample accounts, teams, projects and half a year of history."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from issues.seeding.demo import counts, seed_demo
from tracker.errors import DomainError


class Command(BaseCommand):
    """Makes what is missing of the sample data; a second run adds nothing."""

    help = "Fill in sample accounts, teams, projects and half a year of history. Refused in production."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, with progress on a terminal and one line at the end."""
        if settings.TRACKER_ENV == "production":
            raise CommandError("Sample data is refused in production.")
        started, before = time.monotonic(), counts()
        try:
            report = seed_demo(progress=self._progress)
        except DomainError as error:
            raise CommandError(error.message) from error
        for line in report.skipped:
            self.stderr.write(f"left out: {line}")
        added = ", ".join(f"{number - before[name]} {name}" for name, number in counts().items())
        seconds = time.monotonic() - started
        self.stdout.write(
            f"Added {report.accounts} accounts, {report.projects} projects, {added} in {seconds:.0f} s. "
            "Sign in as admin@, maintainer@, developer@ or reporter@example.com, password “password”."
        )

    def _progress(self, done: int, total: int) -> None:
        if self.stdout.isatty():
            end = "\n" if done == total else ""
            self.stdout.write(f"\r{done:,} of {total:,} things done", ending=end)
            self.stdout.flush()
