"""Dates and times in filters: `2026-12-01` is its first instant in UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|z|[+ -]\d{2}:?\d{2})?", re.ASCII
)
YEARS: Final = range(1900, 2201)


def read_moment(text: str) -> datetime | None:
    """Return the moment that a date or a date-time names, UTC where it has no offset; None where it is none.

    A `+` that a client forgot to encode arrives as a space and counts as `+`.
    """
    if _DATE.fullmatch(text):
        text = f"{text}T00:00Z"
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    day, clock, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(offset or 'Z').replace(' ', '+')}")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def read_day(text: str) -> date | None:
    """Return the first day that begins at or after the moment that a date or a date-time names."""
    moment = read_moment(text)
    if moment is None:
        return None
    day = moment.date()
    return day if moment.timetz() == time(tzinfo=UTC) else day + timedelta(days=1)
