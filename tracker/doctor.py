"""Does an installation keep its promises? Each app registers examinations; `manage.py doctor` runs them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import islice
from typing import Final

from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max, Min
from django_celery_beat.models import PeriodicTask

from tracker import clock
from tracker.celery import app as celery_app
from tracker.durable import OPEN_STATES, Work
from tracker.events.guard import missing_guards
from tracker.models import Event, EventLog
from tracker.redis import FAILURES, client
from tracker.schedules import SCHEDULES

OLDEST_POSTGRES: Final = 15
PATIENCE: Final = timedelta(seconds=30)
LATE: Final = timedelta(minutes=15)
WORKER_SECONDS: Final = 3.0
MOST_FAULTS: Final = 10


class Depth(Enum):
    """How much is read."""

    SAMPLE = "sample"
    EVERYTHING = "everything"


Examine = Callable[[Depth], Iterator[str]]
"""Yields a sentence for each fault."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One promise. `of_processes`: it holds only while the product runs."""

    name: str
    examine: Examine
    of_processes: bool

    def faults(self, depth: Depth) -> list[str]:
        """Return what is wrong: at most `MOST_FAULTS` sentences, and one that there are more."""
        found = list(islice(self.examine(depth), MOST_FAULTS + 1))
        return [*found[:MOST_FAULTS], *(["… and more."] if len(found) > MOST_FAULTS else [])]


examinations: Final[list[Examination]] = []


def examines(name: str, *, of_processes: bool = False) -> Callable[[Examine], Examine]:
    """Register what looks at one promise, after those that were registered before."""

    def register(examine: Examine) -> Examine:
        examinations.append(Examination(name, examine, of_processes))
        return examine

    return register


@examines("settings")
def _settings(_depth: Depth) -> Iterator[str]:
    for message in run_checks():
        if message.level >= ERROR:
            yield str(message.msg)


@examines("database")
def _database(_depth: Depth) -> Iterator[str]:
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        version = int(getattr(connection, "pg_version", 0)) // 10_000
        if version < OLDEST_POSTGRES:
            yield f"PostgreSQL is {version}; {OLDEST_POSTGRES} or later is needed."
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        yield f"{waiting} migrations are not applied; run: python manage.py migrate"
    for message in run_checks(tags=[Tags.database], databases=["default"]):
        if message.level >= ERROR:
            yield str(message.msg)


@examines("event log")
def _event_log(_depth: Depth) -> Iterator[str]:
    log = EventLog.objects.filter(pk=1).first()
    head = log.last_seq if log else 0
    found = Event.objects.aggregate(first=Min("seq"), last=Max("seq"), count=Count("seq"))
    last = found["last"] or 0
    if last != head:
        yield f"The log's last number is {last}, its head says {head}."
    if found["count"] != last or (last and found["first"] != 1):
        yield f"The log has gaps: {found['count']} numbers from {found['first']} to {last}."
    if lacking := missing_guards(using=connection.alias):
        yield f"The log may be changed: it lacks {', '.join(lacking)}; run: python manage.py migrate"
    overdue = Event.objects.filter(seq__isnull=True, recorded_at__lt=clock.now() - PATIENCE).count()
    if overdue:
        yield f"{overdue} events have no number although they are old; run: python manage.py sweep"


@examines("schedules")
def _schedules(_depth: Depth) -> Iterator[str]:
    present = set(PeriodicTask.objects.values_list("name", flat=True))
    for schedule in SCHEDULES:
        if schedule.name not in present:
            yield f"The schedule {schedule.name!r} is missing; run: python manage.py migrate"


@examines("Redis", of_processes=True)
def _redis(_depth: Depth) -> Iterator[str]:
    if not settings.REDIS_URL:
        return
    try:
        with client() as connected:
            connected.ping()
    except FAILURES as error:
        yield f"Redis does not answer: {error}"


@examines("workers", of_processes=True)
def _workers(depth: Depth) -> Iterator[str]:
    if not settings.REDIS_URL or any(_redis(depth)):  # the embedded worker has no ear outside
        return
    if not celery_app.control.ping(timeout=WORKER_SECONDS):
        yield f"No task worker answers within {WORKER_SECONDS:.0f} seconds."


@examines("beat", of_processes=True)
def _beat(_depth: Depth) -> Iterator[str]:
    """The schedules that run more often than `LATE` are what tells."""
    for task in PeriodicTask.objects.filter(enabled=True, interval__isnull=False).select_related("interval"):
        every = timedelta(**{task.interval.period: task.interval.every})
        since = task.last_run_at or task.date_changed
        if since < clock.now() - 2 * every - LATE:
            yield f"The schedule {task.name!r} has not been started since {since:%Y-%m-%d %H:%M} UTC."


@examines("work", of_processes=True)
def _work(_depth: Depth) -> Iterator[str]:
    for model in Work.__subclasses__():
        rows = model._default_manager.filter(state__in=OPEN_STATES, next_try_at__lt=clock.now() - LATE)
        late = rows.exclude(lease_until__gt=clock.now()).count()
        if late:
            yield f"{late} rows of {model._meta.verbose_name} wait although they are due."
