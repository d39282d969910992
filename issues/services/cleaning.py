"""The daily cleaning of files: what no row refers to, and what the operator keeps no longer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from issues.models import Attachment
from issues.services.attachments import delete_expired
from tracker import clock
from tracker.files.cleaning import clean_folders


def clean_files(
    *,
    at: datetime | None = None,
    each: Callable[[], AbstractContextManager[None]] = transaction.atomic,
    pause: Callable[[], None] = lambda: None,
) -> int:
    """Delete expired attachments and files that nothing refers to; return how many both are.

    `each` makes the transaction of one attachment, `pause` is called between batches of files.
    """
    return delete_expired_attachments(at=at, each=each) + clean_folders(at=at, pause=pause)


def delete_expired_attachments(
    *, at: datetime | None = None, each: Callable[[], AbstractContextManager[None]] = transaction.atomic
) -> int:
    """Delete attachments of issues closed for longer than `ATTACHMENT_RETENTION_DAYS`, where that is set."""
    if not settings.ATTACHMENT_RETENTION_DAYS:
        return 0
    before, count = (at or clock.now()) - timedelta(days=settings.ATTACHMENT_RETENTION_DAYS), 0
    due = Attachment.objects.filter(issue__closed_at__lt=before).order_by("pk")
    for attachment_id in list(due.values_list("pk", flat=True)):
        with each():
            count += delete_expired(attachment_id, closed_before=before)
    return count
