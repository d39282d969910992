"""Deals the numbers of the event log.

An event is written without a number. After the commit, and by a sweeper for what a crash left, a short
transaction under one lock gives the committed events the next numbers, in the order in which they were
drawn. A number is therefore never smaller than one that a reader has already seen, and has no gap.
"""

from typing import Final

from django.db import connection, transaction
from django.db.models import F

from tracker.events.nudge import nudge
from tracker.models import EventLog

BATCH: Final = 1000

_NUMBER_POSTGRES: Final = """
WITH pending AS (
    SELECT "order", row_number() OVER (ORDER BY "order") AS place
    FROM (SELECT "order" FROM tracker_event WHERE seq IS NULL ORDER BY "order" LIMIT %s) AS batch
), numbered AS (
    UPDATE tracker_event AS event SET seq = %s + pending.place
    FROM pending WHERE event."order" = pending."order" RETURNING 1
)
UPDATE tracker_eventlog SET last_seq = last_seq + (SELECT count(*) FROM numbered)
RETURNING last_seq
"""
_NUMBER_SQLITE: Final = """
UPDATE tracker_event SET seq = (SELECT last_seq FROM tracker_eventlog WHERE id = 1) + pending.place
FROM (
    SELECT "order" AS drawn, row_number() OVER (ORDER BY "order") AS place
    FROM (SELECT "order" FROM tracker_event WHERE seq IS NULL ORDER BY "order" LIMIT %s)
) AS pending WHERE tracker_event."order" = pending.drawn
"""
_COUNT_SQLITE: Final = "UPDATE tracker_eventlog SET last_seq = last_seq + %s WHERE id = 1"


def number_events() -> int:
    """Number everything that is committed and has no number; return how many events that were.

    Takes the lock of the log's head for at most `BATCH` events at a time.
    """
    total = 0
    while True:
        count = _number_batch()
        total += count
        if count < BATCH:
            return total


def deal_numbers(count: int) -> int:
    """Take the next numbers for events that the caller's transaction writes now, as its last rows; return
    the first.

    What is committed without a number comes before them. Nobody is dealt a number until the transaction is
    over: it must end at once, and have nothing left that waits for others.
    """
    number_events()
    log = EventLog.objects.filter(pk=1)
    if not log.update(last_seq=F("last_seq") + count):
        head()
        log.update(last_seq=F("last_seq") + count)
    return log.values_list("last_seq", flat=True).get() - count + 1


def number_and_nudge() -> None:
    """Number what was just committed, and tell the readers of the log. Runs after commit."""
    if number_events():
        nudge()


def head() -> EventLog:
    """Return the log's head: its id and the last number dealt."""
    return EventLog.objects.get_or_create(pk=1)[0]


@transaction.atomic
def _number_batch() -> int:
    if connection.vendor != "postgresql":
        return _number_batch_under_the_one_lock()
    log = EventLog.objects.select_for_update().filter(pk=1).first() or head()
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER_POSTGRES, [BATCH, log.last_seq])
        row = cursor.fetchone()
    return int(row[0] - log.last_seq) if row else 0


def _number_batch_under_the_one_lock() -> int:
    """Number a batch on SQLite, where a transaction that writes is alone from its beginning."""
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER_SQLITE, [BATCH])
        count: int = cursor.rowcount
        if count:
            cursor.execute(_COUNT_SQLITE, [count])
            if not cursor.rowcount:  # there is no head yet, so the numbers were empty
                head()
                return _number_batch_under_the_one_lock()
    return count
