"""The filters of the issue list, a closed set, for the API and the pages alike.

`issues.query.fields` has what can be asked; here are the parameters of a request. They are read straight
from that table and not by a form for each request: at a few hundred lists a second, the form alone was a
tenth of the time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.http import QueryDict

from issues.models import Issue
from issues.query.asking import Asking, UnknownValueError, asking
from issues.query.ast import Value, Word
from issues.query.compile import Chip, compile_query, narrow
from issues.query.fields import FIELDS, condition_of
from issues.query.language import parse
from issues.query.sorts import BEST_FIRST, DEFAULT, sorts_for
from issues.query.values import read_values
from issues.query.words import Search, split_words
from issues.querysets import IssueQuerySet
from tracker.api.cursors import peek
from tracker.api.pagination import SortKey
from tracker.errors import Invalid, NotAllowed

WORDS: Final = "search"
QUERY: Final = "q"
TRASHED: Final = "trashed"
PARAMETERS: Final = frozenset({*FIELDS, WORDS, QUERY, TRASHED})


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """What a request asks for: the condition of the fields, and the words, without the reader's scope."""

    user: Any
    condition: Q
    search: Search
    chips: tuple[Chip, ...] = ()
    is_trashed: bool = False

    @property
    def has_words(self) -> bool:
        """Whether there is something that relevance can be measured by."""
        return self.search.has_wanted

    def issues(self) -> IssueQuerySet:
        """Return the issues that match and that the reader may see, in no order."""
        found: IssueQuerySet = Issue.objects.visible_to(self.user, trashed=self.is_trashed)
        return found.filter(self.condition, self.search.condition())

    def sorts(self) -> dict[str, SortKey]:
        """Return what the list can be sorted by."""
        return sorts_for(self.search)

    @property
    def default_sort(self) -> str:
        """The best first where there are words, else the newest."""
        return BEST_FIRST if self.has_words else DEFAULT


def filter_issues(params: QueryDict, *, user: Any, ignore: Collection[str] = ()) -> IssueQuerySet:
    """Return the visible issues that match the parameters; see `read_filter`."""
    return read_filter(params, user=user, ignore=ignore).issues()


def read_filter(params: QueryDict, *, user: Any, ignore: Collection[str] = ()) -> IssueFilter:
    """Return what the parameters ask for. Empty ones are as if they were not there.

    `ignore`: parameters that belong to others (page, sort). Raises `Invalid` naming each other unknown
    parameter and values that name nothing the reader may see, and before these `NotAllowed` for the trash.
    """
    _refuse_unknown(params, ignore)
    given = {name: params.getlist(name) for name in params if name in PARAMETERS and name not in ignore}
    reader = asking(user)
    is_trashed = _is_trashed(given, reader)
    values = {name: read_values(texts, parameter=name) for name, texts in given.items() if name in FIELDS}
    at = narrow(reader, [values["project"]] if values.get("project") else [])
    condition, chips = _conditions({name: found for name, found in values.items() if found}, at)
    words: tuple[Word, ...] = ()
    if text := _one(given, QUERY):
        compiled = compile_query(parse(text), at=at)
        condition, words, chips = condition & compiled.condition, compiled.words, [*chips, *compiled.chips]
    if text := _one(given, WORDS):
        words += split_words(text)
    search = Search(words, at.scope.reads_internal, _was_ranked(params))
    return IssueFilter(user, condition, search, tuple(chips), is_trashed)


def _was_ranked(params: QueryDict) -> bool | None:
    """Return whether the page before was ranked, so that a list ends as it began; None on the first page."""
    sort = params.get("sort", params.get("ordering", BEST_FIRST))
    values = peek(params.get("cursor", "")) if sort.startswith(("relevance", "-relevance")) else ()
    return isinstance(values[0], int) if values else None


def _refuse_unknown(params: QueryDict, ignore: Collection[str]) -> None:
    unknown = [name for name in params if name not in PARAMETERS and name not in ignore]
    if unknown:
        raise Invalid(fields={name[:100]: ["There is no such parameter."] for name in unknown[:20]})


def _conditions(values: dict[str, tuple[Value, ...]], at: Asking) -> tuple[Q, list[Chip]]:
    condition, chips, wrong = Q(), [], {}
    for name, found_values in values.items():
        try:
            found = condition_of(FIELDS[name], found_values, at)
        except UnknownValueError as error:
            wrong[name] = [f"{error}."]
            continue
        condition &= found.condition
        chips.append(Chip(name, found.shown, name))
    if wrong:
        raise Invalid(fields=wrong)
    return condition, chips


def _one(given: dict[str, list[str]], name: str) -> str:
    texts = [text for text in given.get(name, []) if text.strip()]
    if len(texts) > 1:
        raise Invalid(fields={name: ["Give this parameter once."]})
    return texts[0] if texts else ""


def _is_trashed(given: dict[str, list[str]], at: Asking) -> bool:
    text = _one(given, TRASHED).lower()
    if text not in {"", "true", "false"}:
        raise Invalid(fields={TRASHED: ["Must be true or false."]})
    if text == "true" and not at.scope.may("trash_issue"):
        raise NotAllowed("You may not see the trash.")
    return text == "true"
