"""The app of what every other app shares."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TrackerConfig(AppConfig):
    """Events, versions, idempotency keys, schedules and start-up checks."""

    name = "tracker"

    def ready(self) -> None:
        """Register the checks, and make the schedules after each migration."""
        from tracker import checks, jobs  # noqa: F401  they register themselves once settings are ready
        from tracker.events.broadcast import publish_nudges

        publish_nudges()
        post_migrate.connect(_make_schedules, sender=self, dispatch_uid="tracker.schedules")


def _make_schedules(using: str, **_: Any) -> None:
    from tracker.schedules import make_schedules  # models are ready only now

    make_schedules(using=using)
