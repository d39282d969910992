"""What an import knows about projects, people and issues, whatever file it came from.

Readers make these; `issues.services.migration` writes them. People are named by the key that they have at
the source, issues by their key there; all words are the product's own (`high`, `blocks`, `started`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Value = str | Decimal | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person of the source. `key` is compared without case."""

    key: str
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """A status of a project's workflow there."""

    slug: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class MilestoneRecord:
    """A dated goal: in Jira, a version that issues are fixed in."""

    name: str
    due_date: date | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """A time-boxed iteration; without dates the source told none."""

    name: str
    starts_on: date | None = None
    ends_on: date | None = None
    state: str = "planned"


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project and what its issues need there."""

    key: str
    name: str
    statuses: tuple[StatusRecord, ...]
    labels: tuple[str, ...] = ()
    milestones: tuple[MilestoneRecord, ...] = ()
    cycles: tuple[CycleRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldValues:
    """The values of an issue's own fields at one time. `reporter` and `assignee` are people's keys,
    `status` is a slug, `parent` an issue's key, `due_date` an ISO date."""

    title: str
    description: str = ""
    type: str = "task"
    status: str = "open"
    severity: str = "medium"
    priority: str = "none"
    reporter: str | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    milestone: str | None = None
    cycle: str | None = None
    parent: str | None = None
    estimate: Decimal | None = None
    due_date: str | None = None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One entry of an issue's history. `changes` has what the product knows, `data` the rest as text."""

    external_id: str
    at: datetime
    author: str | None
    changes: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    categories: tuple[str, str] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment; `edited_at` only where it was edited."""

    external_id: str
    author: str
    body: str
    created_at: datetime
    edited_at: datetime | None = None
    editor: str | None = None
    is_internal: bool = False


@dataclass(frozen=True, slots=True)
class RelationRecord:
    """`source` (a key) blocks, duplicates or relates to `target` (a key)."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """An issue with its whole past. `initial` is what it was when it was created: going from there
    through `events` leads to `fields`."""

    external_id: str
    project: str
    number: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    creator: str | None
    initial: FieldValues
    initial_category: str
    fields: FieldValues
    category: str
    events: tuple[EventRecord, ...] = ()
    comments: tuple[CommentRecord, ...] = ()
    relations: tuple[RelationRecord, ...] = ()
    aliases: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The issue's key, here and there."""
        return f"{self.project}-{self.number}"
