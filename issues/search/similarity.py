"""How alike two titles are: the share of their trigrams that both have, as pg_trgm counts it."""

import uuid
from collections.abc import Sequence
from heapq import nlargest
from itertools import combinations
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

LEAST_SCORE: Final = 0.3
MOST_COMPARED: Final = 2_000
_MOST_WORDS: Final = 8


class Scored(NamedTuple):
    """An issue, and how alike its title is: 1 for the same words in any order."""

    issue_id: uuid.UUID
    score: float


def pairs(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what a title must have to be compared: two of the longest words, or one of two."""
    chosen = sorted(set(words), key=lambda word: (-len(word), word))[:_MOST_WORDS]
    return list(combinations(chosen, 2 if len(chosen) > 2 else 1))


def best(likely: QuerySet[Any], words: Sequence[str], *, limit: int) -> list[Scored]:
    """Return the best of some issues, compared here."""
    rows = likely.order_by("-pk").values_list("pk", "search_document__title")[:MOST_COMPARED]
    wanted = trigrams(words)
    scored = [Scored(pk, similarity(wanted, trigrams(title.split()))) for pk, title in rows]
    good = [each for each in scored if each.score >= LEAST_SCORE]
    return nlargest(limit, good, key=lambda each: (each.score, each.issue_id))


def trigrams(words: Sequence[str]) -> frozenset[str]:
    """Return the trigrams of words, each with two spaces before it and one behind."""
    padded = (f"  {word} " for word in words)
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of trigrams that both have."""
    return len(one & other) / (len(one | other) or 1)
