"""Reads the query language. What is wrong with a query is said with the column where it is wrong."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken

from issues.query.ast import FieldTerm, Query, Value, Word
from tracker.errors import Invalid

MAX_LENGTH: Final = 1000
MAX_TERMS: Final = 50
MAX_VALUES: Final = 100

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CLOSED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WHITESPACE: Final = frozenset("\t\n\r\x0b\x0c")


def wrong_query(message: str, column: int, *, parameter: str = "q") -> Invalid:
    """Return the error of a query: the sentence, the parameter, and the column, counted from 1."""
    return Invalid(message, fields={parameter: [message]}, details={"column": column})


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """Return what a query says; an empty one has no terms. Linear in its length, at most 1,000 characters.

    Raises `Invalid` with the field `q` and `details.column`.
    """
    check_text(text)
    try:
        tree = _parser.parse(text)
    except UnexpectedInput as error:
        column = _column(error, text)
        raise wrong_query(_explain(error, text, column), column) from None
    query: Query = _Reader().transform(tree)
    _check_size(query)
    return query


def _check_size(query: Query) -> None:
    if len(query.terms) > MAX_TERMS:
        raise wrong_query(f"A query has at most {MAX_TERMS} terms.", query.terms[MAX_TERMS].column)
    for term in query.fields:
        if len(term.values) > MAX_VALUES:
            raise wrong_query(f"A field takes at most {MAX_VALUES} values.", term.values[MAX_VALUES].column)


def check_text(text: str, *, parameter: str = "q") -> None:
    """Refuse a text that is too long or holds characters that no text has. Raises `Invalid`."""
    if len(text) > MAX_LENGTH:
        raise wrong_query(
            f"At most {MAX_LENGTH} characters; these are {len(text)}.", MAX_LENGTH + 1, parameter=parameter
        )
    for column, char in enumerate(text, start=1):
        if char not in _WHITESPACE and unicodedata.category(char) in {"Cc", "Cs"}:
            raise wrong_query("Control characters are not allowed here.", column, parameter=parameter)


def quote(text: str) -> str:
    """Return a value as a query or a filter takes it literally, in quotes where it needs them."""
    if text not in {"", "none", "me"} and not re.search(r'[\s",!\\]', text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Return what stands in quotes."""
    return _ESCAPED.sub(r"\1", text[1:-1])


class _Reader(Transformer[Token, Query]):
    """Makes the terms; the tree is flat, so nothing here recurses with the length of the query."""

    def query(self, terms: list[Any]) -> Query:
        return Query(tuple(terms))

    def term(self, parts: list[Any]) -> Word | FieldTerm:
        *negation, inner = parts
        make, arguments = inner
        column = negation[0].start_pos + 1 if negation else arguments.pop("at") + 1
        arguments.pop("at", None)
        term: Word | FieldTerm = make(is_negated=bool(negation), column=column, **arguments)
        return term

    def word(self, parts: list[Token]) -> tuple[type, dict[str, Any]]:
        return Word, {"text": str(parts[0]), "at": parts[0].start_pos}

    def phrase(self, parts: list[Token]) -> tuple[type, dict[str, Any]]:
        return Word, {"text": unquote(parts[0]), "is_phrase": True, "at": parts[0].start_pos}

    def field(self, parts: list[Any]) -> tuple[type, dict[str, Any]]:
        name, *rest = parts
        all_negated = isinstance(rest[0], Token)
        values, negated = [], False
        for part in rest:
            if isinstance(part, Token):
                negated = True
                continue
            text, is_literal, at = part
            values.append(Value(text, is_literal, negated or all_negated, at + 1))
            negated = False
        return FieldTerm, {"field": name[:-1].lower(), "values": tuple(values), "at": name.start_pos}

    def plain(self, parts: list[Token]) -> tuple[str, bool, int]:
        return str(parts[0]), False, parts[0].start_pos or 0

    def quoted(self, parts: list[Token]) -> tuple[str, bool, int]:
        return unquote(parts[0]), True, parts[0].start_pos or 0


def _column(error: UnexpectedInput, text: str) -> int:
    at = error.pos_in_stream
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        at = len(text)
    return (len(text) if at is None or at < 0 else at) + 1


def _explain(error: UnexpectedInput, text: str, column: int) -> str:
    rest = text[column - 1 :]
    expected = error.expected if isinstance(error, UnexpectedToken) else getattr(error, "allowed", None)
    if rest.startswith('"') and not _CLOSED.match(rest):
        return "This quotation mark is not closed."
    if expected and "PLAIN" in expected:
        return "A value is missing here."
    if rest.startswith('"'):
        return "Put a space before this quotation mark."
    return "Put a space here."


_parser: Final = Lark(
    (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8"),
    start="query",
    parser="lalr",
    lexer="contextual",
    maybe_placeholders=False,
)
