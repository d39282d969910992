"""Jira's changelog → events, and the state that the issue began with.

The present is folded backwards through the entries, which gives the first state; from there the entries are
applied again in order, and what each changed in the product's words is its event.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from issues.services.migration_records import EventRecord, FieldValues, Value
from transfer.jira import values
from transfer.jira.state import JiraState, Projection, category_of
from transfer.jira.survey import Survey
from transfer.report import FieldProblem

_LONGEST_TEXT = 4000
# Their change says all that Jira's entry said; of the others the event keeps Jira's own words too.
_WHOLE: Final = frozenset({"summary", "description", "assignee", "reporter", "duedate", "labels", "status"})


@dataclass(frozen=True, slots=True)
class Item:
    """One changed field of an entry: ids and shown texts, before and after."""

    field: str
    source: str
    target: str
    source_text: str
    target_text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person changed at one time."""

    external_id: str
    at: datetime
    author: str | None
    items: tuple[Item, ...]


def read_entries(survey: Survey, issue: dict[str, Any]) -> list[Entry]:
    """Return the entries of an issue's changelog, the oldest first. Raises FieldProblem."""
    histories = values.entries(values.members(issue, "changelog"), "histories", "changelog.histories")
    entries = [_entry(survey, history, f"changelog.histories[{i}]") for i, history in enumerate(histories)]
    if len(entries) > 1 and entries[0].at > entries[-1].at:
        entries.reverse()
    entries.sort(key=lambda entry: entry.at)
    ids = {entry.external_id for entry in entries}
    if len(ids) < len(entries):
        entries = list({entry.external_id: entry for entry in entries}.values())
    return entries


def _entry(survey: Survey, value: Any, path: str) -> Entry:
    history = values.members({"entry": value}, "entry", path)
    at = values.needed_moment(history, "created", f"{path}.created")
    raw_items = values.entries(history, "items", f"{path}.items")
    items = tuple(_item(item, f"{path}.items[{i}]") for i, item in enumerate(raw_items))
    author = survey.add_person(values.person(history, "author", f"{path}.author"))
    own_id = values.identifier(history, "id", f"{path}.id")
    return Entry(f"history:{own_id or _digest(at, author, items)}", at, author, items)


def _digest(*parts: Any) -> str:
    """Return an id for what has none: the same parts give the same id in every run."""
    return sha256(repr(parts).encode()).hexdigest()[:24]


def _item(value: Any, path: str) -> Item:
    item = values.members({"item": value}, "item", path)
    name = values.text(item, "field", f"{path}.field")
    ids = [values.text(item, member, f"{path}.{member}") for member in ("from", "to")]
    shown = [values.text(item, member, f"{path}.{member}") for member in ("fromString", "toString")]
    return Item(name, *ids, *shown)


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A field with one value: how to read the value of an item, and how to set it."""

    attribute: str
    read: Callable[[Survey, str, str], Any]


def _shown(_survey: Survey, _id: str, text: str) -> str:
    return text


def _person(survey: Survey, written: str, text: str) -> str | None:
    return survey.person_key(written or text) or None


def _day(_survey: Survey, written: str, text: str) -> str | None:
    try:
        return values.day(written or text, "duedate")
    except FieldProblem:
        return None


def _status(survey: Survey, status_id: str, text: str) -> str:
    """Return the name of a status; a renamed one has its present name, which its id tells."""
    known = survey.statuses.get(status_id)
    return (values.text(known, "name").strip() if known else "") or text


def _parent(survey: Survey, parent_id: str, text: str) -> str | None:
    key = survey.ids.get(parent_id) or (text if survey.knows(text) else "")
    return survey.product_key(key) if key else None


def _labels(_survey: Survey, _id: str, text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _sprint(_survey: Survey, _id: str, text: str) -> str:
    return text.rpartition(",")[2].strip()


def _number(_survey: Survey, _id: str, text: str) -> Any:
    return values.number(text)


_SCALARS: Final = {
    "summary": _Scalar("title", lambda _s, _i, text: text.strip()),
    "description": _Scalar("description", _shown),
    "issuetype": _Scalar("type", _shown),
    "status": _Scalar("status", _status),
    "priority": _Scalar("priority", _shown),
    "resolution": _Scalar("resolution", _shown),
    "assignee": _Scalar("assignee", _person),
    "reporter": _Scalar("reporter", _person),
    "duedate": _Scalar("due_date", _day),
    "labels": _Scalar("labels", _labels),
    "parent": _Scalar("parent", _parent),
}
_SETS: Final = {"fix version": "versions", "component": "components"}
_CUSTOM: Final = {"estimate": _Scalar("estimate", _number), "cycle": _Scalar("sprint", _sprint)}


class History:
    """The entries of one issue, read against its present state."""

    def __init__(
        self, survey: Survey, entries: Iterable[Entry], present: JiraState, projection: Projection
    ) -> None:
        self._survey = survey
        self._projection = projection
        self.entries = list(entries)
        self.initial_state = present.copy()
        for entry in reversed(self.entries):
            for item in reversed(entry.items):
                self._undo(self.initial_state, item)
        if not self.initial_state.title:
            self.initial_state.title = present.title
        if self.initial_state.reporter is None:
            self.initial_state.reporter = present.reporter

    def initial(self) -> FieldValues:
        """Return the fields that the issue was created with."""
        return self._projection.values(self.initial_state)

    def events(self) -> list[EventRecord]:
        """Return one event for each entry, in order."""
        state = self.initial_state.copy()
        return [self._event(state, entry) for entry in self.entries]

    def _event(self, state: JiraState, entry: Entry) -> EventRecord:
        for item in reversed(entry.items):
            self._rewind(state, item)
        before, before_status = self._projection.values(state), state.status
        before_category = category_of(self._survey, state)[0]
        for item in entry.items:
            self._apply(state, item)
        after = self._projection.values(state)
        changes = changed_fields(before, after)
        categories = None
        data: dict[str, Any] = {}
        if "status" in changes:
            categories = (before_category, category_of(self._survey, state)[0])
            data["status_names"] = [before_status, state.status]
        kept = [_as_text(item) for item in entry.items if not changes or item.field not in _WHOLE]
        if kept:
            data["fields"] = kept
        return EventRecord(entry.external_id, entry.at, entry.author, changes, categories, data)

    def _scalar(self, item: Item) -> _Scalar | None:
        folded = item.field.casefold()
        if found := _SCALARS.get(folded):
            return found
        return _CUSTOM.get(self._custom_target(folded) or "")

    def _custom_target(self, folded: str) -> str | None:
        if folded in self._survey.rules.fields:
            return self._survey.rules.fields[folded]
        named = (field_id for field_id, name in self._survey.names.items() if name.casefold() == folded)
        for field_id in named:
            if target := self._survey.target_of(field_id):
                return target
        return {"sprint": "cycle", "story points": "estimate", "story point estimate": "estimate"}.get(folded)

    def _undo(self, state: JiraState, item: Item) -> None:
        if name := _SETS.get(item.field.casefold()):
            _replace(
                getattr(state, name),
                self._known(name),
                out=item.target,
                back=item.source,
                text=item.source_text,
            )
        else:
            self._rewind(state, item)

    def _rewind(self, state: JiraState, item: Item) -> None:
        """Set a field of one value to what the entry says it was before."""
        if scalar := self._scalar(item):
            setattr(state, scalar.attribute, scalar.read(self._survey, item.source, item.source_text))

    def _apply(self, state: JiraState, item: Item) -> None:
        if name := _SETS.get(item.field.casefold()):
            _replace(
                getattr(state, name),
                self._known(name),
                out=item.source,
                back=item.target,
                text=item.target_text,
            )
        elif scalar := self._scalar(item):
            setattr(state, scalar.attribute, scalar.read(self._survey, item.target, item.target_text))

    def _known(self, name: str) -> dict[str, str]:
        return self._survey.version_names if name == "versions" else self._survey.component_names


def _replace(held: dict[str, str], known: dict[str, str], *, out: str, back: str, text: str) -> None:
    """Take one version or component out and put another in; a renamed one has its present name."""
    held.pop(out, None)
    if back:
        held[back] = known.get(back) or text.strip()


def changed_fields(before: FieldValues, after: FieldValues) -> dict[str, tuple[Value, Value]]:
    """Return what differs, by field. The order of labels is no difference."""
    changes: dict[str, tuple[Value, Value]] = {}
    for name in FieldValues.__slots__:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and not (name == "labels" and set(old) == set(new)):
            changes[name] = (old, new)
    return changes


def _as_text(item: Item) -> dict[str, str | None]:
    """Return Jira's own words for a change, cut to what a log should hold."""
    return {
        "field": item.field[:100],
        "from": (item.source_text or item.source)[:_LONGEST_TEXT] or None,
        "to": (item.target_text or item.target)[:_LONGEST_TEXT] or None,
    }
