"""What an import of a table hands over, and what it hears: rows without a past, a run, an outcome."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from accounts.models import User
from issues.services.migration_places import Place
from issues.services.migration_values import Names
from tracker.caller import Caller


class RowRecord(NamedTuple):
    """One issue. `values` has the fields that the table has columns for: words, people by their key there,
    a parent by its key there, labels as names, an ISO date, a Decimal.

    `issue_id`: it is this very issue, where the table is our own. `number`: the one to keep; None: the next.
    """

    line: int
    external_id: str
    key: str
    project: str
    number: int | None
    issue_id: uuid.UUID | None
    values: Mapping[str, Any]
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None


class Arrival(NamedTuple):
    """What became of a row: which issue it is, and as what the run left it. One that comes back is new."""

    row: RowRecord
    issue_id: uuid.UUID
    is_new: bool
    version: int
    activity_at: datetime


@dataclass(slots=True)
class BatchOutcome:
    """What became of a batch. `refused`: (line, field, why); `left`: (kind, line) of what stays as it is.

    `events`: of the new issues, which `close_batch` writes.
    """

    arrived: list[Arrival] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    left: list[tuple[str, int]] = field(default_factory=list)
    restored: set[int] = field(default_factory=set)
    events: Sequence[Sequence[Any]] = ()


@dataclass(slots=True)
class Importing:
    """A run: who does it, where rows go (by project), and who and what they name.

    `has_earlier`: issues of this source were here when the run began; others are kept out by the database.
    `documents`: what the search will keep of the batch's rows, by line, as far as it was made beforehand.
    `is_migration`: with authors, times and ids of the table, as an admin. `project_id`: the only project that
    rows go to; None for any. `parents`: what rows name as parent; `known_parents` is filled as these come,
    `known_values` with what words became (`issues.services.import_new`), `purged_numbers` with those of each
    project's issues that are gone for good, `levels` with how deep parents are, `pretended` with the parents
    that a rehearsal did not make.
    """

    by: Caller
    source: str
    places: Mapping[str, Place]
    people: Mapping[str, User]
    parents: Collection[str]
    is_migration: bool
    project_id: uuid.UUID | None
    is_own: bool = False
    is_dry_run: bool = False
    has_earlier: bool = True
    documents: Mapping[int, Any] = field(default_factory=dict)
    known_parents: dict[str, uuid.UUID] = field(default_factory=dict)
    known_values: dict[str, dict[str, dict[Any, tuple[Any, Any]]]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    pretended: set[str] = field(default_factory=set)
    purged_numbers: dict[uuid.UUID, frozenset[int]] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """Who and what the rows name, for the values of events."""
        return Names(self.people, self.known_parents)
