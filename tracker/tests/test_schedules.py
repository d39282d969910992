"""Schedules are made once, and belong to the administrator from then on."""

from datetime import timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from tracker.celery import app
from tracker.clock import now
from tracker.ids import new_id
from tracker.models import Event, EventLog, IdempotencyKey
from tracker.schedules import SCHEDULES, make_schedules
from tracker.tasks import drop_old_idempotency_keys, sweep

pytestmark = pytest.mark.django_db


def test_every_schedule_is_there_after_the_migrations_and_names_a_task() -> None:
    app.loader.import_default_modules()

    for schedule in SCHEDULES:
        row = PeriodicTask.objects.get(name=schedule.name)
        assert row.task == schedule.task
        assert row.enabled
        assert schedule.task in app.tasks


def test_a_daily_schedule_has_its_time_of_the_day() -> None:
    row = PeriodicTask.objects.get(name="purge the trash")

    assert row.interval is None
    assert (row.crontab.hour, row.crontab.minute, str(row.crontab.timezone)) == ("3", "0", "UTC")
    assert row.crontab.schedule.remaining_estimate(now()) <= timedelta(days=1)


def test_an_edited_schedule_stays_as_it_was_edited() -> None:
    first = SCHEDULES[0]
    PeriodicTask.objects.filter(name=first.name).update(enabled=False, task="something.else")

    make_schedules(using="default")

    row = PeriodicTask.objects.get(name=first.name)
    assert (row.enabled, row.task) == (False, "something.else")


def test_a_schedule_that_is_missing_is_made_again() -> None:
    PeriodicTask.objects.all().delete()

    make_schedules(using="default")
    make_schedules(using="default")

    assert PeriodicTask.objects.filter(name__in=[schedule.name for schedule in SCHEDULES]).count() == len(
        SCHEDULES
    )


def test_the_sweep_numbers_what_was_left_without_a_number() -> None:
    last = EventLog.objects.get_or_create(pk=1)[0].last_seq
    event = Event.objects.create(verb="team.created", source="system")

    sweep()

    event.refresh_from_db()
    assert event.seq == last + 1


def test_only_old_idempotency_keys_are_dropped() -> None:
    for age in (timedelta(hours=25), timedelta(hours=23)):
        IdempotencyKey.objects.create(
            user_id=new_id(),
            key="k",
            method="POST",
            path="/api/v1/issues",
            body_hash="",
            created_at=now() - age,
            leased_until=now(),
        )

    assert drop_old_idempotency_keys() == 1
    assert IdempotencyKey.objects.count() == 1
