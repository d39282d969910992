"""What beat starts for the shared tables."""

from datetime import timedelta
from typing import Final

from celery import shared_task

from tracker.clock import now
from tracker.events.numbering import number_and_nudge
from tracker.models import IdempotencyKey

KEY_LIFETIME: Final = timedelta(hours=24)


@shared_task
def sweep() -> None:
    """Number the events that a crash left between their commit and their number, and announce them."""
    number_and_nudge()


@shared_task
def drop_old_idempotency_keys() -> int:
    """Delete the claims and stored answers that are older than a day; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now() - KEY_LIFETIME).delete()[0]
