"""What beat starts for the domain."""

from celery import shared_task

from issues.jobs import CLEAN_FILES, PURGE_TRASH
from tracker.jobs import begin_job


@shared_task
def purge_old_trash() -> None:
    """Begin to delete for good what has been in the trash for 30 days."""
    begin_job(PURGE_TRASH)


@shared_task
def clean_old_files() -> None:
    """Begin to delete old files that nothing refers to."""
    begin_job(CLEAN_FILES)
