"""`manage.py purge_trash`: what beat does once a day."""

from typing import Any

from django.core.management.base import BaseCommand

from issues.services.purging import purge_trash


class Command(BaseCommand):
    """Deletes issues that have been in the trash for 30 days."""

    help = "Delete for good what has been in the trash for 30 days."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say how many issues went."""
        self.stdout.write(f"purged {purge_trash()}")
