"""`manage.py sweep`: what beat does every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from tracker.events.nudge import nudge
from tracker.events.numbering import number_events


class Command(BaseCommand):
    """Numbers the events that a crash left between their commit and their number."""

    help = "Number and announce events that were committed without a number."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say how many events there were."""
        count = number_events()
        if count:
            nudge()
        self.stdout.write(f"numbered {count}")
