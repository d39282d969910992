"""What beat starts, and how often. An administrator may edit the rows; no migration overwrites that."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task that beat starts again and again, by a name that stays."""

    name: str
    task: str
    every: timedelta


SCHEDULES: Final = (
    Schedule("number left-over events", "tracker.tasks.sweep", timedelta(seconds=10)),
    Schedule("drop old idempotency keys", "tracker.tasks.drop_old_idempotency_keys", timedelta(hours=1)),
    Schedule("forget expired tokens and tickets", "accounts.tasks.forget_expired", timedelta(hours=1)),
    Schedule("purge the trash", "issues.tasks.purge_old_trash", timedelta(days=1)),
)


def make_schedules(*, using: str) -> None:
    """Make the schedules that are not there yet, by name; leave the others as they are."""
    if PeriodicTask._meta.db_table not in connections[using].introspection.table_names():
        return  # somebody migrates one app alone
    present = set(PeriodicTask.objects.using(using).values_list("name", flat=True))
    for schedule in SCHEDULES:
        if schedule.name not in present:
            _make(schedule, using=using)


def _make(schedule: Schedule, *, using: str) -> None:
    seconds = int(schedule.every.total_seconds())
    interval, _ = IntervalSchedule.objects.using(using).get_or_create(
        every=seconds, period=IntervalSchedule.SECONDS
    )
    PeriodicTask.objects.using(using).create(
        name=schedule.name,
        task=schedule.task,
        interval=interval,
        expire_seconds=seconds,  # a message that waited so long has a successor
    )
