"""The one place that writes events."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from tracker.bulk_rows import insert_rows
from tracker.caller import Caller
from tracker.clock import now
from tracker.events.nudge import nudge
from tracker.events.numbering import deal_numbers, number_and_nudge
from tracker.models import Event


def record(
    *,
    by: Caller | None,
    verb: str,
    project_id: uuid.UUID | None = None,
    issue_id: uuid.UUID | None = None,
    issue_key: str = "",
    version: int | None = None,
    subject_id: uuid.UUID | None = None,
    changes: dict[str, list[Any]] | None = None,
    internal: bool = False,
    data: dict[str, Any] | None = None,
    external_id: str | None = None,
    at: datetime | None = None,
) -> Event:
    """Write one event in the transaction of its change; it is numbered and announced after commit.

    Call it while the lock of what changed is held: the order of an issue's events is drawn here.
    `by` is None only where the system itself acts. `at`: the time of the change, now unless given.
    """
    event = Event(
        verb=verb,
        actor_id=by.actor.pk if by else None,
        source=by.source if by else "system",
        cause_id=by.cause if by else None,
        request_id=by.request_id if by else "",
        project_id=project_id,
        issue_id=issue_id,
        issue_key=issue_key,
        version=version,
        subject_id=subject_id,
        changes=changes or {},
        internal=internal,
        data=data or {},
        external_id=external_id,
        at=at or (by.now if by else now()),
    )
    event.save(force_insert=True)
    announce_after_commit()
    return event


def record_many(events: Iterable[Event]) -> None:
    """Write many prepared events, in the order given."""
    Event.objects.bulk_create(events, batch_size=500)
    announce_after_commit()


def record_numbered(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write very many events with their numbers, as the last thing that a transaction does.

    For bulk writers: a number that is dealt later costs as much as the row itself. `columns` and `rows` are
    those of `insert_rows`, without `seq`. What the commit would check is checked before, so that nobody waits
    for the numbers longer than for those of `number_events`: at most some thousand rows.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        connection.check_constraints()
    first = deal_numbers(len(rows))
    insert_rows(Event, (*columns, "seq"), ((*row, seq) for seq, row in enumerate(rows, first)))
    pending = transaction.get_connection().run_on_commit
    if not any(hook in {nudge, number_and_nudge} for _, hook, _ in pending):
        transaction.on_commit(nudge, robust=True)


def announce_after_commit() -> None:
    """Number and announce once the transaction is committed, once however many events it has."""
    pending = transaction.get_connection().run_on_commit
    if not any(hook is number_and_nudge for _, hook, _ in pending):
        transaction.on_commit(number_and_nudge, robust=True)
