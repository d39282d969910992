"""The database itself keeps the event log as it was written."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet

from tests.make import make_project
from tracker.events.guard import guard_log, guard_statements, guards, missing_guards
from tracker.events.numbering import number_events
from tracker.models import Event

Log = QuerySet[Event]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.update(verb="issue.trashed"),
        lambda log: log.update(at=F("recorded_at")),
        lambda log: log.update(actor_id=None),
        lambda log: log.update(order=F("order") + 1000),
        lambda log: log.update(seq=F("seq") + 1000),
        lambda log: log.update(seq=None),
        lambda log: log.update(changes={}),
        lambda log: log.update(data={}),
        lambda log: log.update(data={"blanked": "yes"}),
        lambda log: log.delete(),
        lambda log: log._raw_delete(log.db),
    ],
)
def test_what_is_in_the_log_stays(change: Callable[[Log], object]) -> None:
    make_project("API")
    number_events()
    log = Event.objects.all()
    before = list(log.order_by("order").values())
    assert before
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(log)
    assert list(log.order_by("order").values()) == before


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_log_is_not_truncated() -> None:
    make_project("API")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE tracker_event")


@pytest.mark.django_db
def test_a_purge_blanks_texts_and_says_so() -> None:
    make_project("API")
    event = Event.objects.earliest("order")
    Event.objects.filter(pk=event.pk).update(changes={}, data={"blanked": True})
    assert Event.objects.get(pk=event.pk).data == {"blanked": True}


@pytest.mark.django_db
def test_lost_guards_are_told_and_made_again() -> None:
    name = "event_log_kept"
    on_table = " ON tracker_event" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on_table}")
    assert missing_guards(using="default") == [name]
    guard_log(using="default")
    assert missing_guards(using="default") == []
    assert guards(using="default") == set(guard_statements(using="default")) - {"tracker_refuse_event"}
