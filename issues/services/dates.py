"""What a date must be to be stored, whoever sends it."""

import re
from datetime import date
from typing import Final

from tracker.errors import Invalid

_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200


def clean_date(value: object, *, field: str) -> date | None:
    """Return the day of `2026-12-01`, None for None and "". Raises `Invalid`, also outside 1900 to 2200."""
    if value is None or value == "":
        return None
    day = _day(value)
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(fields={field: ["Must be a date such as 2026-12-01, from 1900 to 2200."]})
    return day


def require_date(value: object, *, field: str) -> date:
    """Return the day, which must be there. Raises `Invalid`."""
    day = clean_date(value, field=field)
    if day is None:
        raise Invalid(fields={field: ["This date is required."]})
    return day


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _FORM.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
