"""`manage.py rebuild_search`: the full-text index made anew from the issues."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from issues.search.backend import backend
from issues.services.search_documents import index_missing, rebuild


class Command(BaseCommand):
    """Makes what the search lacks, and writes every document anew; the tracker may run meanwhile."""

    help = "Make what the search lacks, and write the text of every issue anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--missing`."""
        parser.add_argument("--missing", action="store_true", help="only issues that it does not know")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say how many issues were written."""
        must_rebuild = backend().repair()
        written = index_missing() if options["missing"] and not must_rebuild else rebuild()
        self.stdout.write(f"wrote {written}")
