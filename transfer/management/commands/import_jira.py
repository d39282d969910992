"""`manage.py import_jira FILE… [--dry-run] [--mapping FILE] [--lenient] [--as EMAIL]`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.models import Role, User, fold_email
from tracker.caller import Caller
from tracker.errors import DomainError
from transfer.imports import Outcome, import_jira
from transfer.jira.rules import read_rules
from transfer.report import Unreadable


class Command(BaseCommand):
    """Imports what Jira's search returned, with its whole history."""

    help = "Import issues with their history from files of Jira's REST search (expand=changelog, all fields)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="check and report, and store nothing")
        parser.add_argument(
            "--mapping", type=Path, metavar="FILE", help="a mapping file: see docs/imports.md"
        )
        parser.add_argument("--lenient", action="store_true", help="import the rest where issues are broken")
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the admin who imports")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, and say what became of it; the last line counts issues."""
        by = Caller(user=_admin(options["email"]), source="import")
        try:
            outcome = import_jira(
                options["files"],
                by=by,
                rules=read_rules(options["mapping"]),
                lenient=options["lenient"],
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except Unreadable as fault:
            raise CommandError(str(fault)) from fault
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except DatabaseError as failure:
            message = (
                f"The database failed: {failure}. What was imported stays; import the file again to go on."
            )
            raise CommandError(message) from failure
        finally:
            self._clear_progress()
        self._tell(outcome, dry_run=options["dry_run"])
        if outcome.is_refused:
            raise CommandError("Nothing was imported: mend the file, or use --lenient to import the rest.")

    def _progress(self, step: str, done: int, total: int) -> None:
        if self.stderr.isatty():
            shown = f"{step} {done} of {total} issues" if total else f"{step} the files"
            self.stderr.write(f"\r\x1b[K{shown}", ending="")
            self.stderr.flush()

    def _clear_progress(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")

    def _tell(self, outcome: Outcome, *, dry_run: bool) -> None:
        for line in outcome.report.lines():
            self.stdout.write(line)
        for problem in outcome.report.problems:
            self.stderr.write(f"refused: {problem}")
        if (more := outcome.report.problem_count - len(outcome.report.problems)) > 0:
            self.stderr.write(f"refused: and {more} more")
        if dry_run:
            self.stdout.write("Dry run: nothing was stored.")
        issues = outcome.created + outcome.updated + outcome.unchanged
        rate = issues / outcome.seconds if outcome.seconds else 0
        self.stdout.write(f"{outcome.seconds:.1f} s, {rate:.0f} issues a second")
        self.stdout.write(
            f"comments {outcome.comments}, history entries {outcome.history}, relations {outcome.relations}"
        )
        self.stdout.write(
            f"created {outcome.created}, updated {outcome.updated}, "
            f"unchanged {outcome.unchanged}, failed {outcome.failed}"
        )


def _admin(email: str) -> User:
    """Return the admin who imports: of the address, else the one who has been here the longest."""
    admins = User.objects.active().filter(role=Role.ADMIN)
    found: User | None = (
        admins.filter(email=fold_email(email)) if email else admins.order_by("created_at", "pk")
    ).first()
    if found is None and email:
        raise CommandError(f"There is no active admin {email}.")
    if found is None:
        raise CommandError("There is no active admin yet. Make one first: manage.py create_admin.")
    return found
