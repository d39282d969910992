"""Two people changed one issue: what each did, field by field, so that nothing is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from issues.forms.issue import IssueForm, field_label, input_of, inputs_of
from issues.history_rows import history_events, history_rows
from issues.models import Issue
from issues.rows import Row, issue_row


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that both changed, each value as a form has it and in words."""

    name: str
    label: str
    base: str
    theirs: str
    mine: str
    theirs_by: str
    is_long: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of an edit from an older version.

    `changes`: the fields that the person really changed, in the form in which services take them;
    `theirs`: the labels of the fields that others changed meanwhile; `people`: who they were.
    """

    row: Row
    conflicts: list[Conflict]
    changes: dict[str, Any]
    theirs: list[str]
    people: list[str]

    @property
    def version(self) -> int:
        """The version that was merged with."""
        return int(self.row["version"])


def merge(issue: Issue, form: IssueForm, *, since: int, user: User) -> Merge:
    """Compare a valid form that was filled in from version `since` with the issue as it is now.

    The base of a field that others changed is the first old value in the events since then.
    """
    row = issue_row(issue, user=user)
    current = inputs_of(row)
    history = changes_since(issue, since, user=user)
    base, changed_by = _base(history)
    base = {name: value for name, value in base.items() if value != current.get(name)}
    mine = form.changes()
    conflicts, changes = [], {}
    for name, value in mine.items():
        sent, before = comparable(name, input_of(value)), comparable(name, base.get(name, current[name]))
        if sent in (before, comparable(name, current[name])):
            continue
        changes[name] = value
        if name in base:
            conflicts.append(
                _conflict(form, name, base[name], current[name], input_of(value), changed_by[name])
            )
    return Merge(
        row=row,
        conflicts=conflicts,
        changes=changes,
        theirs=[field_label(name) for name in base],
        people=sorted({changed_by[name] for name in base}),
    )


def changes_since(issue: Issue, version: int, *, user: User) -> list[Row]:
    """Return the rows of history after a version, the oldest first."""
    return history_rows(history_events(issue.pk).filter(version__gt=version), user=user)


def comparable(name: str, value: Any) -> Any:
    """Return a form's value so that two spellings of the same compare equal."""
    if isinstance(value, list):
        return sorted(value, key=str.casefold)
    text = str(value).replace("\r\n", "\n")
    if name == "parent":
        return text.strip().upper()
    if name == "estimate":
        whole, dot, part = text.strip().partition(".")
        return f"{whole}{dot}{part}".rstrip("0").rstrip(".") if dot else whole
    return text if name == "description" else text.strip()


def _base(history: Sequence[Row]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value before the first change of each field, and who changed it last."""
    base: dict[str, Any] = {}
    people: dict[str, str] = {}
    for row in history:
        for name, (old, _) in row["changes"].items():
            base.setdefault(name, input_of(old))
            people[name] = row["actor"]["name"] if row["actor"] else ""
    return base, people


def _conflict(form: IssueForm, name: str, base: Any, theirs: Any, mine: Any, by: str) -> Conflict:
    return Conflict(
        name=name,
        label=field_label(name),
        base=form.in_words(name, base),
        theirs=form.in_words(name, theirs),
        mine=form.in_words(name, mine),
        theirs_by=by,
        is_long=name == "description",
    )
