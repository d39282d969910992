"""The shapes of what is answered about issues, for the schema. `issues.rows` makes them."""

from typing import Any, Literal, TypedDict

from accounts.people import PersonRow

CategoryWord = Literal["backlog", "unstarted", "started", "blocked", "done", "canceled"]
TypeWord = Literal["bug", "task", "feature", "story", "epic", "question"]
SeverityWord = Literal["low", "medium", "high", "critical"]
PriorityWord = Literal["none", "low", "medium", "high", "urgent"]


class ProjectRef(TypedDict):
    """A project inside another thing."""

    key: str
    name: str


class StatusRef(TypedDict):
    """A status inside an issue."""

    slug: str
    name: str
    category: CategoryWord


class NameRef(TypedDict):
    """A milestone, cycle or team inside an issue."""

    id: str
    name: str


class IssueRef(TypedDict):
    """An issue inside another."""

    id: str
    key: str


class IssueFields(TypedDict):
    """What every reading of an issue has."""

    id: str
    key: str
    url: str
    project: ProjectRef
    number: int
    title: str
    type: TypeWord
    status: StatusRef
    severity: SeverityWord
    priority: PriorityWord
    reporter: PersonRow
    assignee: PersonRow | None
    labels: list[str]
    milestone: NameRef | None
    cycle: NameRef | None
    parent: IssueRef | None
    team: NameRef | None
    estimate: float | None
    due_date: str | None
    department: str
    version: int
    created_at: str
    updated_at: str
    started_at: str | None
    closed_at: str | None


class ListedIssue(IssueFields, total=False):
    """An issue in a list; `description` with `include=description`."""

    activity_at: str
    description: str


class Comment(TypedDict):
    """A comment; a deleted one that has answers is an empty row."""

    id: str
    issue: str
    body: str
    author: PersonRow
    parent: str | None
    internal: bool
    created_at: str
    edited_at: str | None
    deleted: bool
    reactions: list[Any]


class Attachment(TypedDict):
    """A file on an issue. `content_type` was found from its content; `thumbnail_url` comes a little later."""

    id: str
    issue: str
    filename: str
    size_bytes: int
    content_type: str
    sha256: str
    state: Literal["ready", "pending", "infected"]
    author: PersonRow
    created_at: str
    content_url: str
    thumbnail_url: str | None


class Actor(TypedDict):
    """Who did it."""

    id: str
    name: str


class _HistoryRow(TypedDict):
    id: str
    seq: int | None
    at: str
    actor: Actor | None
    verb: str
    changes: dict[str, list[Any]]


class HistoryRow(_HistoryRow, total=False):
    """A change of fields: before and after of each. `categories`: those of a changed status, as they were."""

    categories: list[str]


class EventRow(HistoryRow):
    """An event in a timeline."""

    type: Literal["event"]


class CommentRow(TypedDict):
    """A comment in a timeline."""

    type: Literal["comment"]
    at: str
    comment: Comment


TimelineRow = EventRow | CommentRow


class Relation(TypedDict):
    """A link to another issue, seen from this one."""

    id: str
    type: Literal["blocks", "blocked_by", "duplicates", "duplicated_by", "relates_to"]
    issue: IssueRef


class Issue(IssueFields, total=False):
    """One issue. The lists come with `include=`, the first 100 rows of each."""

    description: str
    comments: list[Comment]
    history: list[HistoryRow]
    attachments: list[Attachment]
    relations: list[Relation]


class Step(TypedDict):
    """A status that may be chosen next, and the fields that it requires."""

    slug: str
    name: str
    category: CategoryWord
    requires: list[str]


class Steps(TypedDict):
    """What may be done next."""

    results: list[Step]
