"""The sprints of an issue, which old files write as texts of Java objects and new ones as objects."""

import re
from typing import Any

from issues.services.migration_records import CycleRecord
from transfer.jira import values
from transfer.report import FieldProblem

_PART = re.compile(r"(id|name|state|startDate|endDate)=([^,\]]*)")
_STATES = {"active": "active", "closed": "completed", "future": "planned"}


def sprint_name(value: Any) -> str:
    """Return the name of the sprint that an issue is in: the last of those that it was in."""
    found = cycles(value)
    return found[-1].name if found else ""


def cycles(value: Any) -> list[CycleRecord]:
    """Return the sprints of a field's value; what is none is left out."""
    entries = value if isinstance(value, list) else [value]
    return [found for entry in entries if (found := _cycle(entry)) is not None]


def _cycle(entry: Any) -> CycleRecord | None:
    if isinstance(entry, str):
        parts = dict(_PART.findall(entry)) if "[" in entry else {"name": entry}
    elif isinstance(entry, dict):
        parts = {name: text for name, text in entry.items() if isinstance(text, str)}
    else:
        return None
    name = parts.get("name", "").strip()[:100]
    if not name:
        return None
    starts_on, ends_on = _day(parts.get("startDate", "")), _day(parts.get("endDate", ""))
    if starts_on and ends_on and ends_on < starts_on:
        ends_on = starts_on
    return CycleRecord(name, starts_on, ends_on, _STATES.get(parts.get("state", "").lower(), "planned"))


def _day(written: str) -> Any:
    try:
        found = values.day(written, "sprint")
    except FieldProblem:
        return None
    return values.as_date(found)
