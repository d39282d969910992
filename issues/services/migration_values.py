"""The values of imported issues: as events tell them, as rows store them, and as a log folds into them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from accounts.models import User
from issues.models import PRIORITY_WORDS, SEVERITY_WORDS
from issues.rows import number
from issues.services.migration_places import Place
from issues.services.migration_records import FieldValues

Told = dict[str, Any]

FIELDS: Final = tuple(FieldValues.__slots__)
STORED: Final = (
    "title", "description", "type", "status", "severity", "priority", "reporter", "assignee", "milestone",
    "cycle", "parent", "estimate", "due_date",
)  # fmt: skip
COLUMN_OF: Final[Mapping[str, str]] = {
    name: f"{name}_id" for name in ("status", "reporter", "assignee", "milestone", "cycle", "parent")
}
PEOPLE_FIELDS: Final = frozenset({"reporter", "assignee"})


@dataclass(frozen=True, slots=True)
class Names:
    """Who and what the records name: people by their keys there, issues by their keys here."""

    people: Mapping[str, User]
    issues: Mapping[str, uuid.UUID]

    def person_id(self, key: str | None) -> uuid.UUID | None:
        """Return the account of a person; None where the records name nobody."""
        user = self.people.get(key) if key else None
        return user.pk if user else None


def told_value(name: str, value: Any, place: Place, names: Names) -> Any:
    """Return a record's value as events have it: people `{id, name}`, labels sorted names, null for empty."""
    if name == "labels":
        return sorted({place.label_name(label) for label in value or ()}, key=str.casefold)
    if value is None or value == "":
        return None
    if name in PEOPLE_FIELDS:
        user = names.people.get(value)
        return {"id": str(user.pk), "name": user.name} if user else None
    if name == "status":
        known = place.status(value)
        return known.slug if known else value
    if name in {"milestone", "cycle"}:
        row: Any = (place.milestones if name == "milestone" else place.cycles).get(value.casefold())
        return {"id": str(row.pk), "name": row.name} if row else {"id": None, "name": value}
    if name == "parent":
        issue_id = names.issues.get(value)
        return {"id": str(issue_id), "key": value} if issue_id else None
    return number(value) if isinstance(value, Decimal) else value


def told_fields(values: FieldValues, place: Place, names: Names) -> Told:
    """Return all values of a record as events have them."""
    return {name: told_value(name, getattr(values, name), place, names) for name in FIELDS}


def category_of(place: Place, slug: str, told_category: str) -> str:
    """Return the category of a status here; of one that the project does not have, what the record says."""
    known = place.status(slug)
    return known.category if known else told_category


def is_same(name: str, old: Any, new: Any) -> bool:
    """Compare two told values of a field: people and parents by id, what has a name by it, without case."""
    if isinstance(old, dict) and isinstance(new, dict):
        by = "name" if name in {"milestone", "cycle"} else "id"
        return bool(_folded(old.get(by)) == _folded(new.get(by)))
    if isinstance(old, list) and isinstance(new, list):
        return {_folded(each) for each in old} == {_folded(each) for each in new}
    return bool(_empty_as_none(old) == _empty_as_none(new))


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _empty_as_none(value: Any) -> Any:
    return None if value in ("", [], ()) else value


def differences(before: Told, after: Told) -> dict[str, list[Any]]:
    """Return what differs, as the changes of an event."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if not is_same(name, before.get(name), value)
    }


def fold(events: Iterable[tuple[Mapping[str, Any], Mapping[str, list[Any]]]]) -> Told:
    """Fold (data, changes) of an issue's events, in order, into the values that they lead to."""
    state: Told = dict.fromkeys(FIELDS) | {"labels": []}
    for data, changes in events:
        if "initial" in data:
            state |= {name: value for name, value in data["initial"].items() if name in state}
        state |= {name: pair[1] for name, pair in changes.items() if name in state}
    return state


def columns(told: Told, place: Place) -> dict[str, Any]:
    """Return the columns of an issue's row for told values; labels are apart (`label_ids`)."""
    return {COLUMN_OF.get(name, name): stored_value(name, told[name], place) for name in STORED}


def stored_value(name: str, told: Any, place: Place) -> Any:
    """Return what the column of a field holds for its told value."""
    if name == "status":
        return place.statuses[told].id
    if name == "severity":
        return SEVERITY_WORDS[told]
    if name == "priority":
        return PRIORITY_WORDS[told]
    if name in {"reporter", "assignee", "parent"}:
        return _id(told)
    if name in {"milestone", "cycle"}:
        return _named_id(told, place.milestones if name == "milestone" else place.cycles)
    if name == "estimate":
        return None if told is None else Decimal(str(told))
    if name == "due_date":
        return date.fromisoformat(told) if told else None
    return told if name in {"title", "type"} else told or ""


def label_ids(told: Told, place: Place) -> set[uuid.UUID]:
    """Return the labels of told values that the project has."""
    rows = (place.labels.get(name.casefold()) for name in told["labels"])
    return {row.pk for row in rows if row is not None}


def _id(value: Mapping[str, Any] | None) -> uuid.UUID | None:
    return uuid.UUID(value["id"]) if value and value.get("id") else None


def _named_id(value: Mapping[str, Any] | None, rows: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the row of a name; one that was deleted since is none."""
    row = rows.get(value["name"].casefold()) if value else None
    return row.pk if row else None
