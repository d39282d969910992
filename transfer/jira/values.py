"""Typed readings of one field of a Jira object; each names the field that it cannot understand."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from issues.services.migration_records import PersonRecord
from tracker.clock import cut
from transfer.report import FieldProblem

KEY = re.compile(r"([A-Z][A-Z0-9_]{0,40})-([0-9]{1,19})")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?!\d)")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LONGEST_ID = 60
_LARGEST_NUMBER = 999_999_999
_TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def members(holder: dict[str, Any], name: str, path: str = "") -> dict[str, Any]:
    """Return an object; empty where it is missing or null."""
    found: dict[str, Any] = _of_type(holder.get(name), dict, {}, path or name)
    return found


def entries(holder: dict[str, Any], name: str, path: str = "") -> list[Any]:
    """Return a list; empty where it is missing or null."""
    found: list[Any] = _of_type(holder.get(name), list, [], path or name)
    return found


def text(holder: dict[str, Any], name: str, path: str = "") -> str:
    """Return a text; empty where it is missing or null."""
    found: str = _of_type(holder.get(name), str, "", path or name)
    return found


def name_of(holder: dict[str, Any], field_name: str) -> str:
    """Return the `name` of an object field such as `status`; empty where there is none."""
    inner = members(holder, field_name)
    return text(inner, "name", f"{field_name}.name").strip()


def identifier(holder: dict[str, Any], name: str, path: str = "") -> str:
    """Return an id, which Jira writes as a text and others as a number."""
    value = holder.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found: str = _of_type(value, str, "", path or name)
    if len(found) > _LONGEST_ID:
        raise FieldProblem(path or name, f"is longer than {_LONGEST_ID} characters")
    return found


def _of_type(value: Any, wanted: type[Any], empty: Any, path: str) -> Any:
    if value is None:
        return empty
    if not isinstance(value, wanted):
        raise FieldProblem(
            path, f"must be {_TYPE_NAMES[wanted]}, not {_TYPE_NAMES.get(type(value), type(value).__name__)}"
        )
    return value


def moment(holder: dict[str, Any], name: str, path: str = "") -> datetime | None:
    """Return a time in UTC, cut to milliseconds; None where it is missing or null."""
    written = text(holder, name, path)
    if not written:
        return None
    if "T" not in written or not _OFFSET.search(written):
        raise FieldProblem(path or name, f"{written[:40]!r} is no time with an offset")
    try:
        read = datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise FieldProblem(path or name, f"{written[:40]!r} is no time") from fault
    if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        raise FieldProblem(path or name, f"{written[:40]!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return cut(read)


def needed_moment(holder: dict[str, Any], name: str, path: str = "") -> datetime:
    """Return a time that must be there."""
    found = moment(holder, name, path)
    if found is None:
        raise FieldProblem(path or name, "is missing")
    return found


def day(written: str, path: str) -> str | None:
    """Return the date at the start of a text (`2014-08-19 00:00:00.0`) in ISO form; None for no text."""
    if not written.strip():
        return None
    match = _DATE.match(written.strip())
    try:
        found = date.fromisoformat(match[1]) if match else None
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise FieldProblem(path, f"{written[:40]!r} is no date")
    return found.isoformat()


def as_date(written: str | None) -> date | None:
    """Return the date of an ISO text."""
    return date.fromisoformat(written) if written else None


def number(value: Any) -> Decimal | None:
    """Return story points of a number or text, to two decimals; None for what is none from 0 to 10,000."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = Decimal(str(value).strip()) if len(str(value)) <= 40 else Decimal("NaN")
    except InvalidOperation:
        return None
    if not read.is_finite() or not 0 <= read <= 10_000:
        return None
    return read.quantize(Decimal("0.01")).normalize() + 0


def split_key(key: str, path: str = "key") -> tuple[str, int]:
    """Return project and number of a key such as `FCREPO-12`."""
    match = KEY.fullmatch(key)
    if not match or not 1 <= int(match[2]) <= _LARGEST_NUMBER or match[2].startswith("0"):
        raise FieldProblem(path, f"{key[:60]!r} is no issue key")
    return match[1], int(match[2])


def person(holder: dict[str, Any], name: str, path: str = "") -> PersonRecord | None:
    """Return a person, or None where there is none. The key is the account id, else the name."""
    inner = members(holder, name, path)
    if not inner:
        return None
    shown = text(inner, "displayName", f"{path or name}.displayName").strip()
    keys = [
        text(inner, member, f"{path or name}.{member}").strip() for member in ("accountId", "name", "key")
    ]
    key = next((found for found in keys if found), shown)
    if not key:
        return None
    email = inner.get("emailAddress")
    return PersonRecord(
        key.casefold()[:200], (shown or key)[:100], email if isinstance(email, str) and "@" in email else None
    )
