"""Makes the condition of a query, inside what the reader sees."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from issues.query.asking import Asking, UnknownValueError
from issues.query.ast import FieldTerm, Query, Value, Word
from issues.query.fields import FIELDS, condition_of
from issues.query.language import wrong_query
from issues.query.naming import find_projects


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter as a page shows it: the field, its values in words, and the parameter that holds it."""

    field: str
    shown: tuple[str, ...]
    parameter: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """The condition of the fields; the words are left to the search."""

    condition: Q
    words: tuple[Word, ...]
    chips: tuple[Chip, ...]


def compile_query(query: Query, *, at: Asking) -> Compiled:
    """Return the condition of a query, which is not scoped to the reader yet.

    At most one SQL query for each field that names people by address or issues by key. Raises `Invalid` with
    the column of a field that there is not, and of a value that names nothing the reader may see.
    """
    at = narrow(at, [term.values for term in query.fields if term.field == "project" and not term.is_negated])
    condition, chips = Q(), []
    for term in query.fields:
        found, shown = _term(term, at)
        condition &= found
        chips.append(Chip(term.field, shown, "q", term.is_negated))
    return Compiled(condition, tuple(word for word in query.words if word.text), tuple(chips))


def narrow(at: Asking, project_values: list[tuple[Value, ...]]) -> Asking:
    """Return who asks within the projects that are named; what names none is for `condition_of` to refuse."""
    for values in project_values:
        if not any(value.is_negated for value in values):
            named = find_projects(values, at)
            at = at.narrowed(frozenset(key for keys, _ in named.values() for key in keys))
    return at


def _term(term: FieldTerm, at: Asking) -> tuple[Q, tuple[Any, ...]]:
    field = FIELDS.get(term.field)
    if field is None:
        hint = f"There is no field {term.field!r}. Put the text in quotes to search for it."
        raise wrong_query(hint, term.column)
    try:
        found = condition_of(field, term.values, at)
    except UnknownValueError as error:
        column = (error.values or term.values)[0].column
        raise wrong_query(f"{term.field}: {error}.", column) from None
    return (~found.condition if term.is_negated else found.condition), found.shown
