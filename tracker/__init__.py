"""The project: settings, entry points, and what every app shares."""

from tracker.celery import app as celery_app

__all__ = ["celery_app"]
