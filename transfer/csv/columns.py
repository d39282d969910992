"""Which column is which field: our own names, names that mean the same, and what the mapping says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypedDict

from tracker.errors import Invalid
from transfer.csv_columns import COLUMNS

Action = Literal["kept", "mapped", "dropped"]
FIELDS: Final = frozenset({*COLUMNS, "external_id"})
MANY: Final = frozenset({"labels"})
"""Fields that several columns may fill; of others the first column counts."""
_MEANS: Final[Mapping[str, Sequence[str]]] = {
    "title": ("summary", "subject", "name", "issue", "headline"),
    "description": ("body", "details", "text", "notes"),
    "key": ("issue key", "issuekey", "ticket", "ticket key", "issue id", "issue number", "ref", "#"),
    "external_id": ("external id", "uuid", "identifier"),
    "type": ("issue type", "issuetype", "tracker", "kind"),
    "status": ("state", "stage"),
    "priority": ("prio",),
    "reporter": ("author", "creator", "created by", "reported by"),
    "assignee": ("assigned to", "owner", "assignees"),
    "labels": ("label", "tags", "tag", "component s", "components", "component", "keywords"),
    "milestone": ("fix version", "fix versions", "fix version s", "target version", "version"),
    "cycle": ("sprint", "iteration", "cycle name"),
    "parent": ("parent key", "parent issue", "parent task", "parent id", "epic link"),
    "estimate": (
        "story points", "storypoints", "storypoint", "points", "weight", "custom field story points",
    ),
    "due_date": ("due", "deadline", "duedate"),
    "created_at": ("created", "created on", "creation date", "date created", "created at utc"),
    "updated_at": ("updated", "modified", "last modified", "updated at utc"),
    "started_at": ("started",),
    "closed_at": ("closed", "resolved", "completed", "resolution date", "closed at utc"),
    "department": ("dept",),
    "project": ("project key",),
}  # fmt: skip


class ColumnReport(TypedDict):
    """What becomes of a column; `to` is the field, null where it is dropped."""

    name: str
    action: Action
    to: str | None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What the caller says about columns and values. Names are compared without case."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The place of each field in a row, and what is said of each column."""

    places: Mapping[str, tuple[int, ...]]
    report: list[ColumnReport]

    @property
    def are_own(self) -> bool:
        """Whether the file is our own export: its ids and keys are those of issues here."""
        return all(name in self.places for name in ("id", "key", "project", "title"))


def read_mapping(sent: object) -> ColumnMapping:
    """Return a mapping as it was sent: `{"columns": …, "values": …, "source": …}`, or the columns alone.

    Raises `Invalid` naming what cannot be.
    """
    if not isinstance(sent, dict):
        raise _invalid("Must be a JSON object.")
    is_whole = set(sent) <= {"columns", "values", "source"} and not all(
        isinstance(value, str | None) for name, value in sent.items() if name != "source"
    )
    columns = sent.get("columns", {}) if is_whole else sent
    values, source = (sent.get("values", {}), sent.get("source", "")) if is_whole else ({}, "")
    if not isinstance(source, str) or len(source) > 150:
        raise _invalid("`source` must be a text of at most 150 characters.")
    return ColumnMapping(_read_columns(columns), _read_values(values), source.strip())


def _read_columns(sent: object) -> dict[str, str | None]:
    if not isinstance(sent, dict):
        raise _invalid("`columns` must be an object: column to field.")
    columns: dict[str, str | None] = {}
    for name, to in sent.items():
        known = to is None or (isinstance(to, str) and (to == "" or to.casefold() in FIELDS))
        if not known:
            raise _invalid(f"{to!r} is no field of an issue; there are: {', '.join(sorted(FIELDS))}.")
        columns[_folded(name)] = to.casefold() if to else None
    return columns


def _read_values(sent: object) -> dict[str, dict[str, str]]:
    if not isinstance(sent, dict) or not all(
        name in FIELDS and isinstance(table, dict) and all(isinstance(word, str) for word in table.values())
        for name, table in sent.items()
    ):
        raise _invalid("`values` must be an object of objects: field, value there, value here.")
    return {name: {there.casefold(): here for there, here in table.items()} for name, table in sent.items()}


def find_columns(headers: Sequence[str], mapping: ColumnMapping) -> Columns:
    """Return where each field is. Raises `Invalid` where the mapping names a column that is not there,
    or no column is the title."""
    folded = [_folded(name) for name in headers]
    unknown = [name for name in mapping.columns if name not in folded]
    if unknown:
        raise _invalid(f"The file has no column {unknown[0]!r}.")
    chosen: list[tuple[str | None, Action]] = [_choose(name, mapping) for name in folded]
    taken = {to for to, action in chosen if to and action == "kept"} | {
        mapping.columns[name] for name in folded if mapping.columns.get(name)
    }
    places: dict[str, list[int]] = {}
    report: list[ColumnReport] = []
    for index, (name, (to, action)) in enumerate(zip(headers, chosen, strict=True)):
        is_guess = action == "mapped" and folded[index] not in mapping.columns
        if to and ((is_guess and to in taken) or (to in places and to not in MANY)):
            to = None
        if to:
            places.setdefault(to, []).append(index)
        report.append({"name": name, "action": action if to else "dropped", "to": to})
    if "title" not in places:
        raise _invalid('No column is the title: name one, such as {"columns": {"Headline": "title"}}.')
    return Columns({name: tuple(indexes) for name, indexes in places.items()}, report)


def _choose(name: str, mapping: ColumnMapping) -> tuple[str | None, Action]:
    if name in mapping.columns:
        to = mapping.columns[name]
        return to, "kept" if to == name else "mapped"
    own = name.replace(" ", "_")
    if own in FIELDS:
        return own, "kept"
    plain = " ".join(re.sub(r"[^\w#]+|_", " ", name).split())
    return next((to for to, names in _MEANS.items() if plain in names), None), "mapped"


def _folded(name: str) -> str:
    return name.strip().casefold()


def _invalid(sentence: str) -> Invalid:
    return Invalid(fields={"mapping": [sentence]})
