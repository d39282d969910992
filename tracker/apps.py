"""The app of what every other app shares."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TrackerConfig(AppConfig):
    """Events, versions, idempotency keys, schedules and start-up checks."""

    name = "tracker"

    def ready(self) -> None:
        """Register the checks; after each migration make the schedules and guard the log."""
        from tracker import checks, jobs  # noqa: F401  they register themselves once settings are ready
        from tracker.events.broadcast import publish_nudges
        from tracker.files import doctor  # noqa: F401  likewise

        publish_nudges()
        post_migrate.connect(_make_schedules, sender=self, dispatch_uid="tracker.schedules")
        post_migrate.connect(_guard_log, sender=self, dispatch_uid="tracker.events")


def _make_schedules(using: str, **_: Any) -> None:
    from tracker.schedules import make_schedules  # models are ready only now

    make_schedules(using=using)


def _guard_log(using: str, **_: Any) -> None:
    from tracker.events.guard import guard_log  # see above

    guard_log(using=using)
