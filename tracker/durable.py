"""Work that must happen is a row with a state: it survives whoever does it, and the broker that told of it.

A row is claimed by a conditional UPDATE that gives a lease and a token. Who holds the token does the work in
short transactions (`Claim.batch`), each of which renews the lease and is refused once somebody else has taken
the row over. What fails is tried again later; what is due is told again by every poller (`redrive`), so that
a hint may be lost. Leases go by the clocks of the machines: where these differ, work may be done twice at
once, but only one of them commits.

`docs/recipes/work.md` shows how to add a kind of work.
"""

import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, ClassVar, Final, Generic, TypeVar

from django.db import DatabaseError, connections, models, transaction
from django.db.models import F, Q

from tracker import clock, hints
from tracker.errors import DomainError
from tracker.ids import new_id

LEASE: Final = timedelta(seconds=20)
TRIES: Final = 6
BACK_OFF: Final = timedelta(seconds=2)
LONGEST_BACK_OFF: Final = timedelta(hours=1)
REDRIVEN_AT_ONCE: Final = 100
_log = logging.getLogger(__name__)
_stopping = threading.Event()


class WorkState(models.TextChoices):
    """Where a row of work is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES: Final = (WorkState.QUEUED, WorkState.RUNNING)


class Work(models.Model):
    """The base of rows that are work. `attempts` counts the tries since the work last got on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.QUEUED)
    attempts = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=clock.now)
    lease_id = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="%(class)s_open",
                condition=Q(state__in=["queued", "running"]),
            )
        ]


Row = TypeVar("Row", bound=Work)


class LeaseLost(Exception):
    """Somebody else has taken the row over; nothing of this batch is stored."""


class GiveUp(Exception):
    """The work cannot be done, now or later. The text is kept in `last_error`."""


class _Interrupted(Exception):
    """The process ends; another goes on."""


@dataclass(slots=True)
class Claim(Generic[Row]):
    """A row that this thread works on, until its lease is over."""

    row: Row
    lease_id: uuid.UUID
    lease: timedelta
    renewed_at: float
    is_over: bool = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Run a transaction that commits only while the lease is ours.

        Locks the row first and until commit, so nobody takes it over meanwhile; renews the lease and forgets
        earlier tries. Raises `LeaseLost`.
        """
        with transaction.atomic():
            self._write(lease_until=clock.now() + self.lease, attempts=1)
            yield
        self.renewed_at, self.row.attempts = monotonic(), 1

    def save(self, **values: Any) -> None:
        """Store values of the row, while the lease is ours. Raises `LeaseLost`."""
        self._write(**values)
        for name, value in values.items():
            setattr(self.row, name, value)

    def renew(self) -> None:
        """Say that the work goes on; call it often between batches, it writes only now and then.

        Raises `LeaseLost`, and what ends the work in good order where the process stops.
        """
        if _stopping.is_set():
            raise _Interrupted
        if monotonic() - self.renewed_at > self.lease.total_seconds() / 4:
            self._write(lease_until=clock.now() + self.lease)
            self.renewed_at = monotonic()

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renew the lease from a thread of its own, for work that cannot call `renew`.

        What loses the lease nevertheless finds out at its next batch.
        """
        is_over = threading.Event()

        def go_on() -> None:
            while not is_over.wait(self.lease.total_seconds() / 4):
                try:
                    self._write(lease_until=clock.now() + self.lease)
                except (LeaseLost, DatabaseError):
                    _log.warning("the lease of %s could not be renewed", self.row.pk)
            connections.close_all()

        thread = threading.Thread(target=go_on, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def finish(self, **values: Any) -> None:
        """Declare the work done, in the caller's transaction if there is one. Raises `LeaseLost`."""
        self._end(WorkState.DONE, **values)

    def _end(self, state: WorkState, **values: Any) -> None:
        self.save(state=state, finished_at=clock.now(), lease_id=None, lease_until=None, **values)
        self.is_over = True

    def _try_again(self, at: datetime, **values: Any) -> None:
        self.save(
            state=WorkState.QUEUED, next_try_at=clock.cut(at), lease_id=None, lease_until=None, **values
        )

    def _write(self, **values: Any) -> None:
        mine = rows_of(type(self.row)).filter(pk=self.row.pk, state=WorkState.RUNNING, lease_id=self.lease_id)
        if not mine.update(**values):
            raise LeaseLost


# --- kinds of work -----------------------------------------------------------------------------------
Handler = Callable[[Claim[Row]], None]


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """How the rows of a model are worked on."""

    model: type[Row]
    handler: Handler[Row]
    given_up: Callable[[Row], None] | None
    lease: timedelta
    tries: int


_kinds: dict[str, Kind[Any]] = {}


def handles(
    model: type[Row],
    *,
    given_up: Callable[[Row], None] | None = None,
    lease: timedelta = LEASE,
    tries: int = TRIES,
) -> Callable[[Handler[Row]], Handler[Row]]:
    """Register what does the work of a model's rows; `given_up` hears of those that failed for good.

    The handler may run twice, and from the middle: it asks its row how far it got.
    """

    def register(handler: Handler[Row]) -> Handler[Row]:
        _kinds[kind_of(model)] = Kind(model, handler, given_up, lease, tries)
        return handler

    return register


def kind_of(model: type[Work]) -> str:
    """Return the name under which messages speak of a model's rows."""
    return model._meta.label_lower


def rows_of(model: type[Row]) -> models.QuerySet[Row]:
    """Return all rows of a model of work."""
    rows: models.QuerySet[Row] = model._default_manager.all()
    return rows


def due(model: type[Row], *, at: datetime) -> models.QuerySet[Row]:
    """Return the rows that wait for somebody: their time has come, or who had them has gone."""
    waiting = Q(state=WorkState.QUEUED, next_try_at__lte=at)
    left = Q(state=WorkState.RUNNING, lease_until__lt=at)
    return rows_of(model).filter(Q(state__in=OPEN_STATES) & (waiting | left))


# --- doing it ----------------------------------------------------------------------------------------
def claim(model: type[Row], row_id: uuid.UUID, *, lease: timedelta = LEASE) -> Claim[Row] | None:
    """Take a row that is due; None where it is not, or where somebody else was faster."""
    moment, lease_id = clock.now(), new_id()
    taken = (
        due(model, at=moment)
        .filter(pk=row_id)
        .update(
            state=WorkState.RUNNING,
            lease_id=lease_id,
            lease_until=moment + lease,
            attempts=F("attempts") + 1,
        )
    )
    if not taken:
        return None
    return Claim(rows_of(model).get(pk=row_id), lease_id, lease, renewed_at=monotonic())


def drive(kind: str, row_id: uuid.UUID) -> bool:
    """Do the work of a row if it is due; return whether it was taken. Never raises what the work raises."""
    known = _kinds[kind]
    taken = claim(known.model, row_id, lease=known.lease)
    if taken is None:
        return False
    try:
        _run(known, taken)
    except LeaseLost:
        _log.warning("somebody else went on with %s %s", kind, row_id)
    return True


def _run(kind: Kind[Any], taken: Claim[Any]) -> None:
    if taken.row.attempts > kind.tries:  # whoever tried died of it
        _fail(kind, taken, taken.row.last_error or "The work was begun too often and never ended.")
        return
    try:
        kind.handler(taken)
    except LeaseLost:
        raise
    except _Interrupted:
        taken._try_again(clock.now(), attempts=max(taken.row.attempts - 1, 0))
        return
    except GiveUp as refusal:
        _fail(kind, taken, str(refusal))
        return
    except Exception as failure:  # noqa: BLE001  whatever it was, the row says so and is tried again
        _log.exception("%s %s failed", kind_of(kind.model), taken.row.pk)
        _retry(kind, taken, _text_of(failure))
        return
    if not taken.is_over:
        taken.finish()


def _retry(kind: Kind[Any], taken: Claim[Any], error: str) -> None:
    if taken.row.attempts >= kind.tries:
        _fail(kind, taken, error)
    else:
        taken._try_again(clock.now() + back_off(taken.row.attempts), last_error=error)


def _fail(kind: Kind[Any], taken: Claim[Any], error: str) -> None:
    taken._end(WorkState.FAILED, last_error=error[:500])
    if kind.given_up is not None:
        kind.given_up(taken.row)


def _text_of(failure: Exception) -> str:
    text = failure.message if isinstance(failure, DomainError) else f"{type(failure).__name__}: {failure}"
    return text[:500]


def back_off(attempts: int) -> timedelta:
    """Return the pause after so many tries: doubled each time, with a jitter of half of it."""
    pause: timedelta = min(BACK_OFF * 2 ** min(max(attempts - 1, 0), 20), LONGEST_BACK_OFF)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing


# --- telling of it -----------------------------------------------------------------------------------
def tell_after_commit(row: Work) -> None:
    """Hint that a row waits, once it is committed. Nobody waits for the broker; a hint may be lost."""
    kind, row_id = kind_of(type(row)), row.pk
    transaction.on_commit(lambda: hints.send(kind, row_id), robust=True)


def redrive() -> int:
    """Hint again at every row that is due; return how many. Costs a query for each kind of work."""
    count, moment = 0, clock.now()
    for kind, known in _kinds.items():
        rows = due(known.model, at=moment).order_by("next_try_at").values_list("pk", flat=True)
        for row_id in rows[:REDRIVEN_AT_ONCE]:
            hints.send(kind, row_id, is_news=False)
            count += 1
    return count


def drive_due() -> int:
    """Do everything that is due, here and now; return how many rows that were."""
    count, moment = 0, clock.now()
    for kind, known in _kinds.items():
        rows = due(known.model, at=moment).order_by("next_try_at").values_list("pk", flat=True)
        count += sum(drive(kind, row_id) for row_id in list(rows))
    return count


def stop_working() -> None:
    """Let work that is under way in this process end at its next step; another process goes on."""
    _stopping.set()


def go_on_working() -> None:
    """Take `stop_working` back: the process begins to work."""
    _stopping.clear()
