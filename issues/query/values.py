"""Reads the values of a filter: `a,b` any of them, `!a,b` none of them, `"a,b"` one with a comma."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from issues.query.ast import Value
from issues.query.language import MAX_VALUES, unquote
from tracker.errors import Invalid

MAX_VALUE_LENGTH: Final = 5000
_PART: Final = re.compile(r'\s*(!?)\s*(?:("(?:[^"\\]|\\.)*")|([^,]*))\s*(?:,|$)', re.DOTALL)


def read_values(texts: Iterable[str], *, parameter: str) -> tuple[Value, ...]:
    """Return the values of one parameter, which may be given several times; empty ones are left out.

    `!` in front of a text negates the whole of it, in front of a later value that one alone.
    Raises `Invalid` naming the parameter.
    """
    values: list[Value] = []
    for text in texts:
        _check(text, parameter)
        values += _split(text)
        if len(values) > MAX_VALUES:
            raise Invalid(fields={parameter: [f"At most {MAX_VALUES} values."]})
    return tuple(values)


def _check(text: str, parameter: str) -> None:
    if len(text) > MAX_VALUE_LENGTH:
        raise Invalid(fields={parameter: [f"At most {MAX_VALUE_LENGTH} characters."]})
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise Invalid(fields={parameter: ["Control characters are not allowed here."]})


def _split(text: str) -> list[Value]:
    is_whole_negated = text.lstrip().startswith("!")
    if '"' not in text:
        parts = [
            (part.startswith("!"), part.removeprefix("!").strip()) for part in map(str.strip, text.split(","))
        ]
        return [Value(part, is_negated=negated or is_whole_negated) for negated, part in parts if part]
    found: list[Value] = []
    place = 0
    while place < len(text) and (match := _PART.match(text, place)):
        negated, quoted, plain = match.groups()
        place = match.end()
        if quoted is not None:
            found.append(
                Value(unquote(quoted), is_literal=True, is_negated=bool(negated) or is_whole_negated)
            )
        elif plain.strip():
            found.append(Value(plain.strip(), is_negated=bool(negated) or is_whole_negated))
    return found
