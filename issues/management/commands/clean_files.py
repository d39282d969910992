"""`manage.py clean_files`: what beat does at two in the night."""

from typing import Any

from django.core.management.base import BaseCommand

from issues.services.cleaning import clean_files


class Command(BaseCommand):
    """Deletes files that nothing refers to, and attachments that the operator keeps no longer."""

    help = "Delete files older than 30 days that no row refers to, and attachments past their retention."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say how many files went."""
        self.stdout.write(f"cleaned {clean_files()}")
