"""Finding issues by words: the interface, and a plain match on title and description behind it.

Every word must occur in the title or in the description, in any case of its letters. SQLite itself knows the
case of ASCII letters only: there, a word with other letters is found as it was typed, in small letters, in
capitals, and with a capital at its beginning, but not in a mixture such as "üBERGABE".
"""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection
from django.db.models import Case, Expression, IntegerField, Q, Value, When

from issues.query.ast import Word
from issues.query.language import MAX_TERMS, check_text, wrong_query

TITLE_RANK: Final = 1


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


def matches(words: Iterable[Word]) -> Q:
    """Return the condition on issues: every word, and none of the negated ones."""
    condition = Q()
    for word in words:
        found = _contains("title", word.text) | _contains("description", word.text)
        condition &= ~found if word.is_negated else found
    return condition


def relevance(words: Sequence[Word]) -> Expression:
    """Return how well an issue matches, more is better: all words in its title, or not."""
    in_title = Q()
    for word in words:
        if not word.is_negated:
            in_title &= _contains("title", word.text)
    return Case(When(in_title, then=Value(TITLE_RANK)), default=Value(0), output_field=IntegerField())


def _contains(field: str, text: str) -> Q:
    condition = Q(**{f"{field}__icontains": text})
    if connection.vendor == "sqlite" and not text.isascii():
        for form in {text.lower(), text.capitalize(), text.upper()} - {text}:
            condition |= Q(**{f"{field}__icontains": form})
    return condition
