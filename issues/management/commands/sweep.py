"""`manage.py sweep`: what beat does every few seconds, and the work itself."""

from typing import Any

from django.core.management.base import BaseCommand

from tracker.durable import drive_due
from tracker.events.nudge import nudge
from tracker.events.numbering import number_events


class Command(BaseCommand):
    """Finishes what a crash left: events without a number, and rows of work that nobody does."""

    help = "Number and announce events that were committed without a number, and do the work that is due."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say how many events and rows of work there were."""
        count = number_events()
        if count:
            nudge()
        self.stdout.write(f"numbered {count}")
        self.stdout.write(f"worked on {drive_due()}")
