"""Cells → values. Each reader takes a cell that is not empty and raises `ValueError` with a sentence."""

import csv
import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.dateparse import parse_date, parse_datetime

from issues.services.texts import MAX_NAME, MAX_TEXT_BYTES, MAX_TITLE
from tracker.clock import cut
from transfer.csv_columns import split_names
from transfer.jira.rules import PRIORITY_WORDS, TYPE_WORDS

MAX_LABELS: Final = 50
_SEVERITIES: Final = ("low", "medium", "high", "critical")
_PRIORITY_NUMBERS: Final = {"0": "none", "1": "high", "2": "medium", "3": "low"}
_TIME_FORMS: Final = ("%d/%b/%y %I:%M %p", "%d/%b/%Y %I:%M %p", "%Y/%m/%d %H:%M", "%m/%d/%Y %H:%M")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")
_LATEST_YEAR: Final = 2200


def title(cell: str) -> str:
    """One line of at most 255 characters."""
    text = " ".join(cell.split()) if "\n" in cell or "\t" in cell or "\r" in cell else cell.strip()
    return _line(text, MAX_TITLE)


def name(cell: str) -> str:
    """A name of at most 100 characters."""
    return _line(cell.strip(), MAX_NAME)


def description(cell: str) -> str:
    """A text of at most 64 KiB."""
    text = cell.replace("\r\n", "\n")
    if "\x00" in text:
        raise ValueError("NUL characters are not allowed.")
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        raise ValueError("At most 64 KiB.")
    return text


def issue_type(cell: str) -> str:
    """A type, by our word or one that means the same."""
    return _word(TYPE_WORDS, cell, "a type")


def priority(cell: str) -> str:
    """A priority, by our word, one that means the same, or its old number."""
    word = _PRIORITY_NUMBERS.get(cell.strip()) or ("urgent" if cell.strip().casefold() == "urgent" else "")
    return word or _word(PRIORITY_WORDS, cell, "a priority")


def severity(cell: str) -> str:
    """A severity."""
    word = cell.strip().casefold()
    if word not in _SEVERITIES:
        raise ValueError(f"{cell[:80]!r} is no severity; there are: {', '.join(_SEVERITIES)}.")
    return word


def labels(cell: str) -> tuple[str, ...]:
    """Names between commas; one with a comma inside stands in quotation marks."""
    try:
        parts = split_names(cell)
    except csv.Error:
        raise ValueError("These are no names between commas.") from None
    found = tuple(dict.fromkeys(name(part) for part in parts))
    if len(found) > MAX_LABELS:
        raise ValueError(f"At most {MAX_LABELS} labels; these are {len(found)}.")
    return found


def estimate(cell: str) -> Decimal:
    """A number from 0 to 10,000 with at most two decimals."""
    try:
        amount = Decimal(cell.strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= 10_000 or round(amount, 2) != amount:
        raise ValueError("Must be a number from 0 to 10000 with at most two decimals.")
    return round(amount, 2)


def due_date(cell: str) -> str:
    """A date; of a time its day."""
    text = cell.strip()
    try:
        day: date | None = parse_date(text[:10])
    except ValueError:
        day = None
    if day is None:
        day = moment(text).date()
    if not 1900 <= day.year <= _LATEST_YEAR:
        raise ValueError("Years go from 1900 to 2200.")
    return day.isoformat()


def moment(cell: str) -> datetime:
    """A time; without a zone it is UTC."""
    text = cell.strip()
    found = _parsed(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time such as 2026-12-01T09:30:00Z.")
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if not 1900 <= found.year <= _LATEST_YEAR:
        raise ValueError("Years go from 1900 to 2200.")
    return cut(found)


def _parsed(text: str) -> datetime | None:
    try:
        if found := parse_datetime(text):
            return found
        if day := parse_date(text):
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        return None
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _word(words: dict[str, str], cell: str, what: str) -> str:
    word = words.get(cell.strip().casefold())
    if word is None:
        raise ValueError(f"{cell[:80]!r} is not {what}; the mapping can say what it means.")
    return word


def _line(text: str, limit: int) -> str:
    if _CONTROL.search(text) or (not text.isascii() and _has_control(text)):
        raise ValueError("Control characters are not allowed here.")
    if len(text) > limit:
        raise ValueError(f"At most {limit} characters; these are {len(text)}.")
    return text


def _has_control(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)
