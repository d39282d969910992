"""What beat and hints start for the shared tables."""

import uuid
from datetime import timedelta
from typing import Final

from celery import shared_task

from tracker.clock import now
from tracker.durable import drive, redrive
from tracker.events.numbering import number_and_nudge
from tracker.jobs import drop_old_jobs
from tracker.models import IdempotencyKey

KEY_LIFETIME: Final = timedelta(hours=24)


@shared_task
def sweep() -> None:
    """Number the events that a crash left between their commit and their number, and announce them.

    Then tell the workers of every row of work that is due.
    """
    number_and_nudge()
    redrive()


@shared_task
def do_work(kind: str, row_id: str) -> bool:
    """Do the work of a row, if it is due and nobody else has it."""
    return drive(kind, uuid.UUID(row_id))


@shared_task
def drop_old_idempotency_keys() -> int:
    """Delete claims and stored answers older than a day, and rows of old jobs; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now() - KEY_LIFETIME).delete()[0] + drop_old_jobs()
