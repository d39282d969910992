"""The shapes of what is answered about imports, for the schema. `transfer.rows` makes them."""

from typing import Any, Literal, TypedDict


class ImportProgress(TypedDict):
    """How many rows are done, of how many. Before the file is checked both are 0."""

    done: int
    total: int


class ImportColumn(TypedDict):
    """What became of a column; `to` is the field."""

    name: str
    action: Literal["kept", "mapped", "dropped"]
    to: str | None


class ImportFault(TypedDict):
    """What is wrong, in which line of the file (1 is the headers) and field."""

    line: int | None
    field: str
    message: str


class ImportReport(TypedDict):
    """What became of columns and values. At most 200 errors are listed; `failed` counts all bad rows."""

    columns: list[ImportColumn]
    values: list[dict[str, Any]]
    errors: list[ImportFault]


class Import(TypedDict):
    """A run of an import."""

    id: str
    state: Literal["queued", "running", "done", "failed", "undone"]
    format: Literal["csv", "jira"]
    project: str | None
    filename: str
    mode: Literal["strict", "lenient"]
    dry_run: bool
    progress: ImportProgress
    created: int
    updated: int
    unchanged: int
    failed: int
    report: ImportReport
    error: str | None
    created_at: str
    finished_at: str | None
