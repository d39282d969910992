"""What a workflow must be to be stored, whoever sends it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from accounts.models import Role
from issues.models import Category
from issues.services.colors import clean_color
from issues.services.fields import FIELDS
from issues.services.presets import COLORS
from issues.services.texts import clean_line
from tracker.errors import Invalid

SLUG_PATTERN: Final = r"^[a-z0-9_]{1,50}$"
MAX_STATUSES: Final = 50
REQUIRABLE: Final = tuple(sorted(set(FIELDS) - {"title", "type", "status", "severity"}))


@dataclass(frozen=True, slots=True)
class StatusInput:
    """A status as it is to be; its place in the list is its position."""

    slug: str
    name: str
    category: str
    color: str


@dataclass(frozen=True, slots=True)
class StepInput:
    """An allowed step as it is to be."""

    source: str
    target: str
    roles: tuple[str, ...]
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkflowInput:
    """A whole workflow that holds together."""

    initial: str
    statuses: tuple[StatusInput, ...]
    steps: tuple[StepInput, ...]

    @property
    def slugs(self) -> frozenset[str]:
        """The slugs of its statuses."""
        return frozenset(status.slug for status in self.statuses)


def read_workflow(*, initial: object, statuses: object, transitions: object) -> WorkflowInput:
    """Return the workflow of an input in the shape of the API. Raises `Invalid` naming the field."""
    listed = _list(statuses, field="statuses")
    if not 1 <= len(listed) <= MAX_STATUSES:
        raise Invalid(fields={"statuses": [f"1 to {MAX_STATUSES} statuses."]})
    read = tuple(_status(item, place) for place, item in enumerate(listed))
    slugs = [status.slug for status in read]
    _require_unique(slugs, field="statuses")
    initial = _unpack(initial)
    if initial not in slugs:
        raise Invalid(fields={"initial": ["Must be the slug of one of the statuses."]})
    steps = tuple(
        _step(item, place, slugs) for place, item in enumerate(_list(transitions, field="transitions"))
    )
    _require_unique([f"{step.source} to {step.target}" for step in steps], field="transitions")
    order = {slug: place for place, slug in enumerate(slugs)}
    ordered = sorted(steps, key=lambda step: (order[step.source], order[step.target]))
    return WorkflowInput(str(initial), read, tuple(ordered))


def read_moves(moves: object, *, removed: frozenset[str], kept: frozenset[str]) -> dict[str, str]:
    """Return where issues of removed statuses go. Raises `Invalid` for what is neither."""
    if moves is None:
        return {}
    if not isinstance(moves, Mapping):
        raise Invalid(fields={"moves": ["Must be an object: old slug to new slug."]})
    read = {str(old): _unpack(new) for old, new in moves.items()}
    for old, new in read.items():
        if old not in removed:
            raise Invalid(fields={"moves": [f"{old!r} is not a status that this change removes."]})
        if new not in kept:
            raise Invalid(fields={"moves": [f"{new!r} is not a status of the new workflow."]})
    return {old: str(new) for old, new in read.items()}


def _status(item: object, place: int) -> StatusInput:
    field = f"statuses[{place}]"
    if not isinstance(item, Mapping):
        raise Invalid(fields={field: ["Must be an object."]})
    _require_known(item, {"slug", "name", "category", "color"}, field=field)
    slug, category = item.get("slug"), item.get("category")
    if not isinstance(slug, str) or not re.fullmatch(SLUG_PATTERN, slug, re.ASCII):
        raise Invalid(fields={f"{field}.slug": ["1 to 50 of a-z, 0-9 and _."]})
    if not isinstance(category, str) or category not in Category.values:
        raise Invalid(fields={f"{field}.category": [f"One of {', '.join(Category.values)}."]})
    name = clean_line(item.get("name", slug), field=f"{field}.name")
    return StatusInput(
        slug, name, category, clean_color(item.get("color", COLORS[category]), field=f"{field}.color")
    )


def _step(item: object, place: int, slugs: Sequence[str]) -> StepInput:
    field = f"transitions[{place}]"
    if not isinstance(item, Mapping):
        raise Invalid(fields={field: ["Must be an object."]})
    _require_known(item, {"from", "to", "roles", "requires"}, field=field)
    source, target = _unpack(item.get("from")), _unpack(item.get("to"))
    for name, slug in (("from", source), ("to", target)):
        if slug not in slugs:
            raise Invalid(fields={f"{field}.{name}": ["Must be the slug of one of the statuses."]})
    if source == target:
        raise Invalid(fields={f"{field}.to": ["A step leads to another status."]})
    return StepInput(
        str(source),
        str(target),
        _words(item.get("roles", []), Role.values, field=f"{field}.roles"),
        _words(item.get("requires", []), REQUIRABLE, field=f"{field}.requires"),
    )


def _words(value: object, known: Sequence[str], *, field: str) -> tuple[str, ...]:
    words = _list(value, field=field)
    if any(not isinstance(word, str) or word not in known for word in words):
        raise Invalid(fields={field: [f"Any of {', '.join(known)}."]})
    return tuple(word for word in known if word in words)


def _list(value: object, *, field: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Invalid(fields={field: ["Must be a list."]})
    return list(value)


def _unpack(value: object) -> object:
    """Return the slug of a status in either of its forms."""
    value = value.get("slug") if isinstance(value, Mapping) else value
    return value if isinstance(value, str) else None


def _require_known(item: Mapping[Any, Any], names: set[str], *, field: str) -> None:
    unknown = sorted(str(name) for name in set(item) - names)
    if unknown:
        raise Invalid(fields={f"{field}.{name}": ["There is no such field."] for name in unknown})


def _require_unique(names: Sequence[str], *, field: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(fields={field: [f"Each only once: {', '.join(twice)}."]})
