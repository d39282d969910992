"""The fields that an issue can be found by: one closed table for the list's filters and the query language.

Conditions name ids from memory instead of joining, so that the indexes of `issue` are used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q

from issues.models import CLOSED_CATEGORIES, Category, Issue, IssueLabel, IssueType, Watcher
from issues.query.asking import Asking, Found, UnknownValueError
from issues.query.ast import Value
from issues.query.moments import read_day, read_moment
from issues.query.naming import (
    Finder,
    find_issues,
    find_people,
    find_priorities,
    find_projects,
    find_severities,
    find_statuses,
    find_teams,
    find_text,
    in_projects,
    one_of,
    statuses_by_category,
)

Read = Callable[[Sequence[Value], Asking], Found]


@dataclass(frozen=True, slots=True)
class Field:
    """`read` makes the condition "any of these values"; `about` says what the values are.

    `choices` are the values of a closed set; `is_single`: takes one value.
    """

    read: Read
    about: str
    choices: tuple[str, ...] = ()
    is_single: bool = False


def condition_of(field: Field, values: Sequence[Value], at: Asking) -> Found:
    """Return the condition: any of the values, and none of the negated ones. Raises `UnknownValueError`."""
    wanted = [value for value in values if not value.is_negated]
    refused = [value for value in values if value.is_negated]
    if field.is_single and len(values) > 1:
        raise UnknownValueError([], "Takes one value")
    condition = Q()
    shown: list[str] = []
    if wanted:
        found = field.read(wanted, at)
        condition &= found.condition
        shown += found.shown
    if refused:
        found = field.read(refused, at)
        condition &= ~found.condition
        shown += [f"not {text}" for text in found.shown]
    return Found(condition, tuple(shown))


# --- how a field compares ------------------------------------------------------------------------
def _column(column: str, find: Finder, wanted: str, *, empty: Q | None = None) -> Read:
    """Compare a column with what the values name; `empty` is the condition for `none`."""

    def read(values: Sequence[Value], at: Asking) -> Found:
        keys, has_none, shown = _resolve(find, values, at, wanted, takes_none=empty is not None)
        condition = Q(**{f"{column}__in": keys})
        if has_none and empty is not None:
            condition = empty | condition if keys else empty
        return Found(condition, shown)

    return read


def _linked(model: Any, column: str, find: Finder, wanted: str) -> Read:
    """Compare what is linked to the issue through a table of its own; `none`: nothing is."""

    def read(values: Sequence[Value], at: Asking) -> Found:
        keys, has_none, shown = _resolve(find, values, at, wanted, takes_none=True)
        links = model.objects.filter(issue=OuterRef("pk"))
        condition = Q(Exists(links.filter(**{f"{column}__in": keys}))) if keys or not has_none else Q()
        if has_none:
            condition = condition | ~Q(Exists(links)) if keys else ~Q(Exists(links))
        return Found(condition, shown)

    return read


def _resolve(
    find: Finder, values: Sequence[Value], at: Asking, wanted: str, *, takes_none: bool
) -> tuple[list[Any], bool, tuple[str, ...]]:
    nones = [
        value for value in values if takes_none and not value.is_literal and value.text.lower() == "none"
    ]
    rest = [value for value in values if value not in nones]
    named = find(rest, at) if rest else {}
    unknown = [value for value in rest if value not in named]
    if unknown:
        raise UnknownValueError(unknown, wanted)
    keys = list(dict.fromkeys(key for value in rest for key in named[value][0]))
    return keys, bool(nones), tuple(["none"] * bool(nones) + [named[value][1] for value in rest])


def _read_category(values: Sequence[Value], at: Asking) -> Found:
    keys, _, shown = _resolve(_find_category, values, at, _one_of(Category.values), takes_none=False)
    return Found(Q(status_id__in=statuses_by_category(frozenset(keys), at)), shown)


def _read_open(values: Sequence[Value], at: Asking) -> Found:
    keys, _, shown = _resolve(_find_boolean, values, at, "Must be true or false", takes_none=False)
    wanted = [category for category in Category.values if (category not in CLOSED_CATEGORIES) in keys]
    return Found(Q(status_id__in=statuses_by_category(frozenset(wanted), at)), shown)


def _read_team(values: Sequence[Value], at: Asking) -> Found:
    """The issue's own team or, where it has none, its project's."""
    keys, has_none, shown = _resolve(find_teams, values, at, "You see no such team", takes_none=True)
    teams = frozenset(keys)
    projects = [at.catalog.projects[key] for key in at.project_ids]
    through = [project.id for project in projects if not teams.isdisjoint(project.team_ids)]
    condition = Q(team_id__in=keys) | Q(team_id__isnull=True, project_id__in=through)
    if has_none:
        without = [project.id for project in projects if not project.team_ids]
        condition |= Q(team_id__isnull=True, project_id__in=without)
    return Found(condition, shown)


def _read_parent(values: Sequence[Value], at: Asking) -> Found:
    """A parent that the reader does not see counts as none, as it does in what they read."""
    keys, has_none, shown = _resolve(find_issues, values, at, "You see no such issue", takes_none=True)
    condition = Q(parent_id__in=keys)
    if has_none:
        seen = Exists(Issue.objects.visible_to(at.user).filter(pk=OuterRef("parent_id")))
        condition |= Q(parent_id__isnull=True) | ~Q(seen)
    return Found(condition, shown)


def _date(column: str, lookup: str, read_one: Callable[[str], Any]) -> Read:
    def read(values: Sequence[Value], _: Asking) -> Found:
        moments = [read_one(value.text) for value in values]
        if None in moments:
            raise UnknownValueError(
                values, "Must be a date or a date-time such as 2026-12-01T09:30:00Z, 1900 to 2200"
            )
        conditions = Q()
        for moment in moments:
            conditions |= Q(**{f"{column}__{lookup}": moment})
        return Found(conditions, tuple(value.text for value in values))

    return read


def _one_of(words: Sequence[str]) -> str:
    return f"Must be one of {', '.join(words)}"


def _person(column: str) -> Read:
    return _column(column, find_people, "There is no such person", empty=Q(**{f"{column}__isnull": True}))


_find_category: Final = one_of({word: word for word in Category.values})
_find_boolean: Final = one_of({"true": True, "false": False})
_SEVERITIES: Final = ("low", "medium", "high", "critical")
_PRIORITIES: Final = ("none", "low", "medium", "high", "urgent")
_BOOLEAN: Final = ("true", "false")
_PEOPLE: Final = "ids, e-mail addresses, `me` or `none`"

FIELDS: Final[dict[str, Field]] = {
    "project": Field(_column("project_id", find_projects, "You see no such project"), "keys of projects"),
    "team": Field(_read_team, "ids or names of teams, or `none`: the issue's team, else its project's"),
    "status": Field(
        _column("status_id", find_statuses, "You see no project with this status"), "slugs of statuses"
    ),
    "category": Field(_read_category, "categories of statuses", tuple(Category.values)),
    "open": Field(_read_open, "`true`: neither done nor canceled", _BOOLEAN, is_single=True),
    "type": Field(
        _column("type", one_of({word: word for word in IssueType.values}), _one_of(IssueType.values)),
        "types",
        tuple(IssueType.values),
    ),
    "severity": Field(_column("severity", find_severities, _one_of(_SEVERITIES)), "severities", _SEVERITIES),
    "priority": Field(
        _column("priority", find_priorities, _one_of(_PRIORITIES)),
        "priorities as words, or as 0 none, 1 high, 2 medium, 3 low",
        _PRIORITIES,
    ),
    "assignee": Field(_person("assignee_id"), _PEOPLE),
    "reporter": Field(_person("reporter_id"), _PEOPLE),
    "label": Field(
        _linked(
            IssueLabel,
            "label_id",
            in_projects(lambda known: known.labels),
            "You see no project with this label",
        ),
        "names of labels, or `none`",
    ),
    "milestone": Field(
        _column(
            "milestone_id",
            in_projects(lambda known: known.milestones),
            "You see no such milestone",
            empty=Q(milestone_id__isnull=True),
        ),
        "ids or names of milestones, or `none`",
    ),
    "cycle": Field(
        _column(
            "cycle_id",
            in_projects(lambda known: known.cycles),
            "You see no such cycle",
            empty=Q(cycle_id__isnull=True),
        ),
        "ids or names of cycles, or `none`",
    ),
    "parent": Field(_read_parent, "keys or ids of issues, or `none`"),
    "department": Field(
        _column("department", find_text, "There is no such department", empty=Q(department="")),
        "departments as they are written, or `none`",
    ),
    "watcher": Field(_linked(Watcher, "user_id", find_people, "There is no such person"), _PEOPLE),
}
for _name, _at, _read in (
    ("created", "created_at", read_moment),
    ("updated", "updated_at", read_moment),
    ("started", "started_at", read_moment),
    ("closed", "closed_at", read_moment),
    ("due", "due_date", read_day),
):
    FIELDS[f"{_name}_after"] = Field(
        _date(_at, "gte", _read), "a date or date-time: from then on", is_single=True
    )
    FIELDS[f"{_name}_before"] = Field(
        _date(_at, "lt", _read), "a date or date-time: until before then", is_single=True
    )
