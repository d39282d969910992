"""What is searched for, as tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from issues.query.ast import Word
from issues.search.text import tokens


@dataclass(frozen=True, slots=True)
class Needle:
    """Tokens that must follow each other; `is_prefix`: the last one may go on."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Needles:
    """All of `wanted` must be in a text, and none of `refused`."""

    wanted: tuple[Needle, ...]
    refused: tuple[Needle, ...]
    is_hopeless: bool = False


def needles_of(words: Iterable[Word]) -> Needles:
    """Return what words and phrases ask for.

    A plain word is also found as the beginning of a longer one, once it has two letters: while it is typed it
    matches already. Quoted and negated ones are exact. Of words without a letter or digit nothing is left;
    where nothing else is wanted they find nothing (`is_hopeless`).
    """
    given = list(words)
    wanted = [needle for word in given if not word.is_negated and (needle := _needle(word))]
    refused = [needle for word in given if word.is_negated and (needle := _needle(word))]
    is_hopeless = not wanted and any(not word.is_negated for word in given)
    return Needles(_unique(wanted), _unique(refused), is_hopeless)


def _needle(word: Word) -> Needle | None:
    found = tokens(word.text)
    if not found:
        return None
    last = found[-1]
    may_go_on = len(last) > 1 and last[-1].isalpha() and word.text[-1].isalnum()
    return Needle(tuple(found), may_go_on and not word.is_phrase and not word.is_negated)


def _unique(found: Sequence[Needle]) -> tuple[Needle, ...]:
    return tuple(dict.fromkeys(found))
