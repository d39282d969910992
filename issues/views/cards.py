"""Issues as pages list them: everything formatted before the template sees it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from issues.models import CLOSED_CATEGORIES, PRIORITY_WORDS, SEVERITY_WORDS, IssueType, Label
from issues.rows import Row
from issues.views.moments import Moments
from issues.views.tints import tint_class
from tracker.versions import Versions, versions_of


@dataclass(frozen=True, slots=True)
class Mark:
    """A label with the class of its colour."""

    name: str
    tint: str


@dataclass(frozen=True, slots=True)
class Card:
    """One line of a list; `mark` tells one state of the issue from another."""

    mark: str
    key: str
    path: str
    title: str
    status: str
    category: str
    is_closed: bool
    priority: str
    priority_word: str
    labels: list[Mark]
    assignee: str
    updated: SafeString | str


_tints: tuple[int, Mapping[tuple[str, str], str]] | None = None


def cards(rows: Iterable[Row], *, user: Any, moments: Moments) -> list[Card]:
    """Return the lines of a list; no query where the labels' colours are in memory."""
    tints = _label_tints(versions_of(user))
    words = _priorities(get_language() or "")
    nobody = _("Nobody")
    return [_card(row, tints, moments, words, nobody) for row in rows]


def label_marks(row: Row, *, user: Any) -> list[Mark]:
    """Return an issue's labels with their colours."""
    return _marks(row, _label_tints(versions_of(user)))


def type_words(word: str) -> str:
    """Return a type as a person reads it."""
    return str(IssueType(word).label)


def severity_words(word: str) -> str:
    """Return a severity as a person reads it."""
    return str(SEVERITY_WORDS[word].label)


def priority_words(word: str) -> str:
    """Return a priority as a person reads it."""
    return str(PRIORITY_WORDS[word].label)


@lru_cache(maxsize=8)
def _priorities(_language: str) -> Mapping[str, str]:
    """Return the words of priorities in one language; none for none."""
    return {word: "" if word == "none" else priority_words(word) for word in PRIORITY_WORDS}


def _card(
    row: Row,
    tints: Mapping[tuple[str, str], str],
    moments: Moments,
    words: Mapping[str, str],
    nobody: str,
) -> Card:
    priority = row["priority"]
    return Card(
        mark=f"{row['id']}:{row['version']}",
        key=row["key"],
        path=f"/issues/{row['key']}/",
        title=row["title"],
        status=row["status"]["name"],
        category=row["status"]["category"],
        is_closed=row["status"]["category"] in CLOSED_CATEGORIES,
        priority=words[priority],
        priority_word=priority,
        labels=_marks(row, tints),
        assignee=row["assignee"]["name"] if row["assignee"] else nobody,
        updated=moments.time(row["updated_at"]),
    )


def _marks(row: Row, tints: Mapping[tuple[str, str], str]) -> list[Mark]:
    key = row["project"]["key"]
    return [Mark(name, tints.get((key, name), "tint-0")) for name in row["labels"]]


def _label_tints(versions: Versions) -> Mapping[tuple[str, str], str]:
    """Return the class of each label by project key and name, read once for each version of the catalog."""
    global _tints
    held = _tints
    if held is None or held[0] != versions.catalog:
        rows = Label.objects.values_list("project__key", "name", "color")
        held = _tints = (versions.catalog, {(key, name): tint_class(color) for key, name, color in rows})
    return held[1]
