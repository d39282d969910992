"""The whole file is checked, and what can be imported is put on disk, before a row is written."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from issues.refs import parse_uuid
from issues.services.import_records import RowRecord
from issues.services.migration_records import CycleRecord, MilestoneRecord, ProjectRecord, StatusRecord
from transfer.csv import cells
from transfer.csv.columns import ColumnMapping, Columns, find_columns
from transfer.csv.reading import CsvFile, Line
from transfer.csv.spool import RowSpool
from transfer.csv_columns import join_names, unescaped
from transfer.jira.rules import CATEGORIES, STATUS_NAMES

LISTED: Final = 200
RENEW_EACH: Final = 500
FURTHEST: Final = 1_000_000
"""How far above a project's numbers a row's may be, where it is no migration."""
MOST_NUMBER: Final = 998_999_999
"""A key has at most nine digits; a million stay for the issues that come after."""
_KEY: Final = re.compile(r"([A-Za-z][A-Za-z0-9]{1,19})-([1-9][0-9]{0,8})", re.ASCII)
_PROJECT: Final = re.compile(r"[A-Z][A-Z0-9]{1,19}", re.ASCII)
_TIMES: Final = ("created_at", "updated_at", "started_at", "closed_at")
_MIGRATION_ONLY: Final = frozenset({"reporter", *_TIMES})
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "title": cells.title,
    "description": cells.description,
    "type": cells.issue_type,
    "severity": cells.severity,
    "priority": cells.priority,
    "reporter": cells.name,
    "assignee": cells.name,
    "labels": cells.labels,
    "milestone": cells.name,
    "cycle": cells.name,
    "parent": str.strip,
    "estimate": cells.estimate,
    "due_date": cells.due_date,
    "department": cells.name,
    **dict.fromkeys(_TIMES, cells.moment),
}
_EMPTY: Final[Mapping[str, Any]] = {"description": "", "labels": (), "department": ""}
_FEW: Final = frozenset(_READERS) - {"title", "description", "parent", *_TIMES}
"""Fields whose cells come again and again: what they are is remembered, for the first of each."""
_MOST_KNOWN: Final = 5_000
_LONGEST_KNOWN: Final = 200
_WIDEST: Final = 1_000_000
_LEFT_OUT: Final = object()
_UNKNOWN: Final = object()
_DEFAULTED: Final = frozenset({"type", "severity", "priority", "status", "title"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go. `project`: the key of the one project, empty for any. `statuses`: of each project that
    is there, slugs by folded slug and name. `highest`: the highest number that each has given.
    `is_migration`: with the authors and times of the file."""

    project: str
    statuses: Mapping[str, Mapping[str, str]]
    is_migration: bool
    highest: Mapping[str, int] = field(default_factory=dict)

    def most(self, project: str) -> int:
        """Return the highest number that a row may have: no typing error may use up a project's numbers."""
        if self.is_migration:
            return MOST_NUMBER
        return min(self.highest.get(project, 0) + FURTHEST, MOST_NUMBER)


@dataclass(slots=True)
class Needs:
    """What a project needs for the rows that go there, each by its folded name."""

    statuses: dict[str, StatusRecord] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    milestones: dict[str, str] = field(default_factory=dict)
    cycles: dict[str, str] = field(default_factory=dict)
    highest: int = 0

    def record(self, key: str) -> ProjectRecord:
        """Return them in the form of a migration."""
        return ProjectRecord(
            key=key,
            name=key,
            statuses=tuple(self.statuses.values()),
            labels=tuple(self.labels.values()),
            milestones=tuple(MilestoneRecord(each) for each in self.milestones.values()),
            cycles=tuple(CycleRecord(each) for each in self.cycles.values()),
        )


@dataclass(slots=True)
class Checked:
    """What the check found. `people`: their names, by folded name; `parents`: what rows name as parent."""

    columns: Columns
    needs: dict[str, Needs] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    bad_rows: int = 0
    good_rows: int = 0

    def fault(self, fault: Fault) -> None:
        """Keep the first of them."""
        if len(self.faults) < LISTED:
            self.faults.append(fault)


class _Field(NamedTuple):
    """A field of the rows: its columns, the mapping's words, and what its cells were found to be."""

    name: str
    places: tuple[int, ...]
    words: Mapping[str, str]
    known: dict[str, Any] | None

    def read(self, cell: str) -> Any:
        """Return the value of a cell, `_LEFT_OUT` where it has none. Raises `ValueError`."""
        value = self._read(self.words.get(cell.strip().casefold(), cell) if self.words else cell)
        if self.known is not None and len(cell) <= _LONGEST_KNOWN and len(self.known) < _MOST_KNOWN:
            self.known[cell] = value
        return value

    def _read(self, cell: str) -> Any:
        if cell and not cell.isspace():
            return _READERS[self.name](cell)
        return _LEFT_OUT if self.name in _DEFAULTED else _EMPTY.get(self.name)


class RowChecker:
    """Checks rows one by one. Raises `Invalid` where the mapping does not fit the headers."""

    def __init__(self, headers: Sequence[str], *, mapping: ColumnMapping, target: Target) -> None:
        columns = find_columns(headers, mapping)
        self.columns, self.target = columns, target
        self.found = Checked(columns)
        self._width, self._mapping = len(headers), mapping
        self._seen: dict[int, int] = {}
        self._keys: dict[int, int] = {}
        dropped: frozenset[str] = frozenset() if target.is_migration else _MIGRATION_ONLY
        for column in columns.report:
            if column["to"] in dropped:
                column["action"], column["to"] = "dropped", None
        self._first = {name: places[0] for name, places in columns.places.items()}
        self._plan = [
            _Field(name, places, mapping.values.get(name, {}), {} if name in _FEW else None)
            for name, places in columns.places.items()
            if name in _READERS and (name not in dropped or (name == "updated_at" and columns.are_own))
        ]

    def check(self, line: Line) -> RowRecord | None:
        """Return the row's record; None where it is bad, which is kept in `found`."""
        faults: list[Fault] = []
        row = self._read(line, faults) if not line.fault else None
        if line.fault:
            faults.append(Fault(line.number, "", line.fault))
        if faults or row is None:
            self.found.bad_rows += 1
            for fault in faults:
                self.found.fault(fault)
            return None
        self.found.good_rows += 1
        return row

    def _read(self, line: Line, faults: list[Fault]) -> RowRecord | None:
        row = line.cells
        if len(row) > self._width and any(row[self._width :]):
            faults.append(Fault(line.number, "", f"has {len(row)} cells; the headers are {self._width}."))
            return None
        values: dict[str, Any] = {}
        for field_ in self._plan:
            name, places, _, known = field_
            cell = self._cell(row, places)
            value = known.get(cell, _UNKNOWN) if known is not None else _UNKNOWN
            if value is _UNKNOWN:
                try:
                    value = field_.read(cell)
                except ValueError as fault:
                    faults.append(Fault(line.number, name, str(fault)))
                    continue
            if value is not _LEFT_OUT:
                values[name] = value
        if not values.get("title") and not any(fault.field == "title" for fault in faults):
            faults.append(Fault(line.number, "title", "May not be empty."))
        times = {name: values.pop(name, None) for name in _TIMES}
        return self._identified(line, values, times, faults)

    def _cell(self, row: Sequence[str], places: Sequence[int]) -> str:
        if len(places) == 1:
            place = places[0]
            cell = row[place] if place < len(row) else ""
            return unescaped(cell) if cell[:1] == "'" else cell
        found = (unescaped(row[place]).strip() for place in places if place < len(row))
        return join_names([cell for cell in found if cell])

    def _one(self, row: Sequence[str], name: str) -> str:
        place = self._first.get(name, _WIDEST)
        if place >= len(row):
            return ""
        cell = row[place]
        return (unescaped(cell) if cell[:1] == "'" else cell).strip()

    # --- identity --------------------------------------------------------------------------------------
    def _identified(
        self, line: Line, values: dict[str, Any], times: Mapping[str, Any], faults: list[Fault]
    ) -> RowRecord | None:
        row = line.cells
        key, own_id = self._one(row, "key"), self._one(row, "id")
        match = _KEY.fullmatch(key)
        project = self._project(line, match, faults)
        issue_id = parse_uuid(own_id) if self.columns.are_own else None
        external_id = self._external_id(row, own_id, key)
        twice = self._seen.setdefault(hash(external_id), line.number)
        if twice != line.number:
            faults.append(Fault(line.number, "id", f"is the same issue as line {twice}."))
        number = int(match[2]) if match and match[1].upper() == project else None
        if number is not None and twice == line.number:
            self._check_number(line, project, number, faults)
        self._read_status(line, values, project, faults)
        if faults:
            return None
        self._note_needs(project, values, number)
        return RowRecord(line.number, external_id, key, project, number, issue_id, values, **times)

    def _check_number(self, line: Line, project: str, number: int, faults: list[Fault]) -> None:
        twice = self._keys.setdefault(hash((project, number)), line.number)
        if twice != line.number:
            faults.append(Fault(line.number, "key", f"is the key of line {twice}, too."))
        elif number > self.target.most(project):
            faults.append(Fault(line.number, "key", too_high(self.target.most(project))))

    def _project(self, line: Line, match: "re.Match[str] | None", faults: list[Fault]) -> str:
        named = self._one(line.cells, "project").upper()
        if self.target.project:
            if named and self.columns.are_own and named != self.target.project:
                message = f"The row is of project {named[:40]}; this import goes to {self.target.project}."
                faults.append(Fault(line.number, "project", message))
            return self.target.project
        project = named or (match[1].upper() if match else "")
        if not _PROJECT.fullmatch(project):
            faults.append(
                Fault(line.number, "project", "The row names no project such as API; nor does its key.")
            )
        return project

    def _external_id(self, row: Sequence[str], own_id: str, key: str) -> str:
        named = self._one(row, "external_id") or own_id or key
        if not named:
            digest = hashlib.sha256("\x1f".join(row).encode("utf-8", "surrogatepass")).hexdigest()[:32]
            times = 1
            while hash(f"row:{digest}:{times}") in self._seen:
                times += 1
            return f"row:{digest}:{times}"
        return named if len(named) <= 100 else "id:" + hashlib.sha256(named.encode()).hexdigest()

    # --- what the project must have ----------------------------------------------------------------------
    def _read_status(self, line: Line, values: dict[str, Any], project: str, faults: list[Fault]) -> None:
        cell = self._one(line.cells, "status")
        cell = self._mapping.values.get("status", {}).get(cell.casefold(), cell)
        if not cell:
            return
        held = self.target.statuses.get(project)
        slug = held.get(cell.casefold()) if held else None
        if slug is None and not self.target.project:
            slug = self._new_status(line, cell, project)
        if slug is None:
            known = ", ".join(dict.fromkeys(held.values())) if held else ""
            message = f"{cell[:80]!r} is no status of {project}; it has: {known}."
            faults.append(Fault(line.number, "status", message))
        else:
            values["status"] = slug

    def _new_status(self, line: Line, cell: str, project: str) -> str | None:
        """Return the slug of a status that the project will get, with the category that the row tells."""
        slug = re.sub(r"[^a-z0-9]+", "_", cell.casefold()).strip("_")[:40]
        if not slug:
            return None
        statuses = self.found.needs.setdefault(project, Needs()).statuses
        if slug not in statuses:
            told = self._one(line.cells, "category").casefold()
            name = cell if cell != slug else cell.replace("_", " ").capitalize()
            category = told if told in CATEGORIES else STATUS_NAMES.get(name.casefold(), "started")
            statuses[slug] = StatusRecord(slug, name[:100], category)
        return slug

    def _note_needs(self, project: str, values: dict[str, Any], number: int | None) -> None:
        needs = self.found.needs.setdefault(project, Needs())
        needs.highest = max(needs.highest, number or 0)
        for label in values.get("labels") or ():
            needs.labels.setdefault(label.casefold(), label)
        for name, held in (("milestone", needs.milestones), ("cycle", needs.cycles)):
            if value := values.get(name):
                held.setdefault(value.casefold(), value)
        for name in ("reporter", "assignee"):
            if value := values.get(name):
                values[name] = value.casefold()
                self.found.people.setdefault(values[name], value)
        if parent := values.get("parent"):
            self.found.parents.add(parent)


def check_file(
    file: CsvFile, *, mapping: ColumnMapping, target: Target, spool: RowSpool, alive: Callable[[], None]
) -> Checked:
    """Check every row and spool the good ones. `alive` is called now and then.

    Raises `Unreadable`, and `Invalid` where the mapping does not fit.
    """
    checker = RowChecker(file.headers, mapping=mapping, target=target)
    for count, line in enumerate(file.rows()):
        if count % RENEW_EACH == 0:
            alive()
        row = checker.check(line)
        if row is not None:
            spool.add(row)
    spool.settle()
    return checker.found


def too_high(most: int) -> str:
    """Return why a number is refused."""
    return f"The number is too far above those of the project; it may be at most {most}."


def errors_of(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Return faults as the report has them."""
    return [{"line": each.line, "field": each.field, "message": each.message} for each in faults]
