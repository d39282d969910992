"""What beat starts, and how often. An administrator may edit the rows; no migration overwrites that."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connections
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

_DAY_SECONDS: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day at this time, in UTC."""

    hour: int
    minute: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task that beat starts again and again, by a name that stays."""

    name: str
    task: str
    every: timedelta | Daily


SCHEDULES: Final = (
    Schedule("number left-over events", "tracker.tasks.sweep", timedelta(seconds=10)),
    Schedule("drop old idempotency keys", "tracker.tasks.drop_old_idempotency_keys", timedelta(hours=1)),
    Schedule("forget expired tokens and tickets", "accounts.tasks.forget_expired", timedelta(hours=1)),
    Schedule("clean files", "issues.tasks.clean_old_files", Daily(hour=2)),
    Schedule("purge the trash", "issues.tasks.purge_old_trash", Daily(hour=3)),
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
    timing, seconds = _timing(schedule.every, using=using)
    PeriodicTask.objects.using(using).create(
        name=schedule.name,
        task=schedule.task,
        expire_seconds=seconds,  # a message that waited so long has a successor
        **timing,
    )


def _timing(every: timedelta | Daily, *, using: str) -> tuple[dict[str, Any], int]:
    if isinstance(every, Daily):
        crontab, _ = CrontabSchedule.objects.using(using).get_or_create(
            minute=str(every.minute), hour=str(every.hour), timezone="UTC"
        )
        return {"crontab": crontab}, _DAY_SECONDS
    seconds = int(every.total_seconds())
    interval, _ = IntervalSchedule.objects.using(using).get_or_create(
        every=seconds, period=IntervalSchedule.SECONDS
    )
    return {"interval": interval}, seconds
