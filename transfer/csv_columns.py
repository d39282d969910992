"""The columns of an issue in a table, as exports write them and imports read them back."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]

_FORMULA: Final = re.compile("'*[=+\\-@\t\r＝＋－＠]")
_NEEDS_QUOTES: Final = re.compile(r'[,"]|^\s|\s$')


def escaped(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before `= + - @`, tab and CR.

    One that has the apostrophe already gets another, so that `unescaped` gives back what was written.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    """Return what `escaped` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def join_names(names: Sequence[str]) -> str:
    """Return names as one cell: `a, b, "c, d"`; those with commas or quotation marks in quotation marks."""
    quoted = ('"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name for name in names)
    return ", ".join(quoted)


def split_names(cell: str) -> list[str]:
    """Return the names of such a cell, whatever separates them: a comma with or without a space."""
    rows = list(csv.reader(io.StringIO(cell.replace("\n", " ")), skipinitialspace=True))
    return [name.strip() for row in rows for name in row if name.strip()]


def _plain(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = row[name]
        return "" if value is None else str(value)

    return cell


def _inside(name: str, key: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        return str(row[name][key]) if row[name] else ""

    return cell


CELLS: Final[Mapping[str, Callable[[Row], str]]] = {
    "key": _plain("key"),
    "project": _inside("project", "key"),
    "title": _plain("title"),
    "description": _plain("description"),
    "type": _plain("type"),
    "status": _inside("status", "slug"),
    "category": _inside("status", "category"),
    "severity": _plain("severity"),
    "priority": _plain("priority"),
    "reporter": _inside("reporter", "name"),
    "assignee": _inside("assignee", "name"),
    "labels": lambda row: join_names(row["labels"]),
    "milestone": _inside("milestone", "name"),
    "cycle": _inside("cycle", "name"),
    "parent": _inside("parent", "key"),
    "estimate": _plain("estimate"),
    "due_date": _plain("due_date"),
    "department": _plain("department"),
    "created_at": _plain("created_at"),
    "updated_at": _plain("updated_at"),
    "started_at": _plain("started_at"),
    "closed_at": _plain("closed_at"),
    "id": _plain("id"),
}
"""Column → its text in a row of the API with its description, in the order of the contract. Nothing is
escaped yet. People are told by name: addresses are not everybody's to see."""

COLUMNS: Final = tuple(CELLS)
