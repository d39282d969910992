"""What the scheduler does for accounts."""

from celery import shared_task

from accounts.services import expiry


@shared_task
def forget_expired() -> None:
    """Forget tokens, tickets, attempts and sessions that are over."""
    expiry.forget_expired()
