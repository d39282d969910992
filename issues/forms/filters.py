"""The controls of the list's filters as HTML: a list is read far oftener than its choices change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from issues.catalog import Catalog, ProjectInfo, catalog
from issues.forms.issue import project_choices
from issues.forms.people import active_people, assignable_people
from issues.models import Category, IssueType, Priority, Severity
from issues.scope import Scope, scope_of
from tracker.versions import Versions, versions_of

Choices = tuple[tuple[str, str], ...]

MOST_LABELS: Final = 300
MOST_PEOPLE: Final = 300
SELECTS: Final = (
    "project",
    "status",
    "category",
    "open",
    "type",
    "severity",
    "priority",
    "assignee",
    "label",
    "sort",
)


@dataclass(frozen=True, slots=True)
class Select:
    """One `<select>`: its options are ready, the chosen one marked."""

    name: str
    label: str
    options: SafeString
    is_set: bool
    errors: tuple[str, ...] = ()


def filter_selects(
    params: Mapping[str, str], *, user: Any, project: ProjectInfo | None, errors: Mapping[str, list[str]]
) -> list[Select]:
    """Return the controls with what was chosen or typed; within a project without the choice of one.

    A value that is no option (from a link, or a mistaken one) becomes one, so that it stays.
    """
    labels = _labels()
    found = choices_for(user, project)
    return [
        Select(
            name=name,
            label=labels[name],
            options=_options(found[name], params.get(name, "")),
            is_set=bool(params.get(name)),
            errors=tuple(errors.get(name, ())),
        )
        for name in SELECTS
        if name in found
    ]


def choices_for(user: Any, project: ProjectInfo | None) -> dict[str, Choices]:
    """Return (value, words) of every control; no query where people are in memory."""
    versions, scope = versions_of(user), scope_of(user)
    found = dict(_closed_choices(get_language() or ""))
    known = catalog(versions)
    if project is None:
        found["project"] = (("", _("Every project")), *project_choices(user, archived=True))
    ids = frozenset([project.id]) if project else scope.project_ids
    found["status"] = (("", _("Any status")), *_statuses(known, ids))
    found["label"] = (("", _("Any label")), *_label_names(known, ids))
    found["assignee"] = (
        ("", _("Anybody")),
        ("me", _("Me")),
        ("none", _("Nobody")),
        *_people(project, scope, versions),
    )
    return found


def _labels() -> dict[str, str]:
    return {
        "project": _("Project"),
        "status": _("Status"),
        "category": _("Stage"),
        "open": _("Open"),
        "type": _("Type"),
        "severity": _("Severity"),
        "priority": _("Priority"),
        "assignee": _("Assignee"),
        "label": _("Label"),
        "sort": _("Sort"),
    }


@lru_cache(maxsize=8)
def _closed_choices(_language: str) -> dict[str, Choices]:
    """Return the choices that are the same for everybody, in one language."""
    return {
        "category": (("", _("Any stage")), *((item.value, str(item.label)) for item in Category)),
        "open": (("", _("Open and closed")), ("true", _("Open")), ("false", _("Closed"))),
        "type": (("", _("Any type")), *((item.value, str(item.label)) for item in IssueType)),
        "severity": (("", _("Any severity")), *((item.word, str(item.label)) for item in reversed(Severity))),
        "priority": (("", _("Any priority")), *((item.word, str(item.label)) for item in reversed(Priority))),
        "sort": (
            ("", _("Newest first")),
            ("created_at", _("Oldest first")),
            ("-updated_at", _("Recently changed")),
            ("-activity_at", _("Recently active")),
            ("-priority,-severity", _("Most urgent")),
            ("-severity,-priority", _("Most severe")),
            ("due_date", _("Due first")),
            ("status", _("Status")),
            ("title", _("Title")),
            ("key", _("Key")),
        ),
    }


def _statuses(known: Catalog, ids: Iterable[Any]) -> Choices:
    names = {status.slug: status.name for project_id in ids for status in known.statuses_of(project_id)}
    return tuple(sorted(names.items(), key=lambda pair: pair[1].casefold()))


def _label_names(known: Catalog, ids: frozenset[Any]) -> Choices:
    names = {info.name.casefold(): info.name for info in known.labels.values() if info.project_id in ids}
    return tuple((name, name) for _folded, name in sorted(names.items())[:MOST_LABELS])


def _people(project: ProjectInfo | None, scope: Scope, versions: Versions) -> Choices:
    """Return who can be assigned; to a reporter, whose list is their own, only within a project."""
    if project is None:
        return tuple(active_people(versions)[:MOST_PEOPLE]) if scope.may("see_all_issues") else ()
    return tuple(assignable_people(project, versions=versions)[:MOST_PEOPLE])


@lru_cache(maxsize=512)
def _options(choices: Choices, chosen: str) -> SafeString:
    if chosen and all(value != chosen for value, _words in choices):
        choices = (*choices, (chosen, chosen))
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, _SELECTED if value == chosen else "", words) for value, words in choices),
    )


_SELECTED: Final = mark_safe(" selected")


def hidden_inputs(params: Mapping[str, str], *, but: Iterable[str]) -> SafeString:
    """Return what the address has beside the controls, so that sending the form keeps it."""
    left = ((name, value) for name, value in params.items() if name not in set(but))
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', left)
