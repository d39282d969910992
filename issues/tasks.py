"""What beat starts for the domain."""

from celery import shared_task

from issues.services.purging import purge_trash


@shared_task
def purge_old_trash() -> int:
    """Delete for good what has been in the trash for 30 days; return how many issues."""
    return purge_trash()
