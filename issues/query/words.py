"""Finding issues by words: what a reader asks, as a condition and an order. `issues.search` does the work."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.db.models import Case, IntegerField, Q, Value, When

from issues.models import Issue, IssueAlias
from issues.query.ast import Word
from issues.query.language import MAX_TERMS, check_text, wrong_query
from issues.refs import is_key
from issues.search.backend import backend
from issues.search.needles import Needles, needles_of
from tracker.api.pagination import SortKey

_FIRST: Final = 2_000_000_000
"""The relevance of the issue whose very key was asked for."""


def split_words(text: str, *, parameter: str = "search") -> tuple[Word, ...]:
    """Return the words and "quoted phrases" of a text that is no query; nothing in it has another sense.

    Raises `Invalid` for control characters, for more than 1,000 characters and for more than 50 words.
    """
    check_text(text, parameter=parameter)
    words: list[Word] = []
    for place, part in enumerate(text.split('"')):
        is_phrase = place % 2 == 1
        words += (Word(item, is_phrase) for item in ([part.strip()] if is_phrase else part.split()) if item)
    if len(words) > MAX_TERMS:
        raise wrong_query(f"At most {MAX_TERMS} words.", len(text), parameter=parameter)
    return tuple(words)


@dataclass(frozen=True)
class Search:
    """The words of a list of issues. `internal`: whether internal comments count for the reader.

    `is_ranked`: whether the page before was; None for the first page, which decides it.
    """

    words: tuple[Word, ...]
    internal: bool
    is_ranked: bool | None = None

    @cached_property
    def needles(self) -> Needles:
        """What is looked for, as tokens."""
        return needles_of(self.words)

    @cached_property
    def is_common(self) -> bool:
        """Whether the newest of what matches come first, as so much does that a rank would say little."""
        if not self.needles.wanted:
            return True
        if self.is_ranked is not None:
            return not self.is_ranked
        return backend().is_common(self.needles, internal=self.internal)

    @property
    def has_wanted(self) -> bool:
        """Whether there is something that relevance can be measured by."""
        return any(not word.is_negated for word in self.words)

    @property
    def key(self) -> str:
        """The issue's key that is asked for and nothing else, or an empty text."""
        alone = self.words[0] if len(self.words) == 1 else None
        return alone.text.upper() if alone and not alone.is_negated and is_key(alone.text) else ""

    def condition(self) -> Q:
        """Return the condition on issues: every word, and none of the negated ones."""
        if self.needles.is_hopeless:
            return Q(pk__in=[])
        if not self.words or not (self.needles.wanted or self.needles.refused):
            return Q()
        found = backend().condition(self.needles, internal=self.internal, common=self.is_common)
        return self._or_named(found) if self.key else found

    def sort(self) -> SortKey:
        """Return the sort by relevance, the best first; of a common search the newest."""
        if self.is_common:
            return SortKey("created_at", best_first=True)
        rank = backend().relevance(self.needles, internal=self.internal)
        if self.key:
            rank = Case(When(self._named(), then=Value(_FIRST)), default=rank, output_field=IntegerField())
        return SortKey("relevance", annotate={"relevance": rank}, best_first=True)

    def _named(self) -> Q:
        key, _, number = self.key.rpartition("-")
        former = IssueAlias.objects.filter(key=self.key).values("issue")
        return Q(project__key=key, number=int(number)) | Q(pk__in=former)

    def _or_named(self, found: Q) -> Q:
        """Return the matches and the issue of this key as one list of ids, which the planner takes first."""
        matching = Issue.objects.filter(found).order_by().values("pk")
        return Q(pk__in=matching.union(Issue.objects.filter(self._named()).order_by().values("pk"), all=True))
