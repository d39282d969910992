"""What must be true of the database after any fault: rows, numbers and events agree."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

_ISSUES = (
    "SELECT CAST(i.id AS text), p.key || '-' || i.number, i.number, i.version, s.slug "
    "FROM issues_issue i JOIN issues_project p ON p.id = i.project_id "
    "JOIN issues_status s ON s.id = i.status_id ORDER BY i.number"
)
_EVENTS = "SELECT CAST(issue_id AS text), verb, version, changes, seq FROM tracker_event ORDER BY seq"
_NEXT = "SELECT next_number FROM issues_project"

Rows = list[tuple[Any, ...]]


def check_whole(database: str | Path) -> dict[str, int]:
    """Compare issues, numbers, versions and events of the one project; return each issue's version by key.

    `database`: a PostgreSQL URL or an SQLite file. Every issue has one event of its creation and one for each
    later version, numbers have no gap, and the log is numbered without a gap.
    """
    issues, events, projects = read(database, _ISSUES, _EVENTS, _NEXT)
    numbers = [number for _, _, number, _, _ in issues]
    assert numbers == list(range(1, len(issues) + 1))
    assert projects == [(len(issues) + 1,)]
    assert [seq for *_, seq in events] == list(range(1, len(events) + 1))

    told = Counter((issue, version) for issue, _, version, _, _ in events if issue is not None)
    whole = {(issue, each) for issue, _, _, version, _ in issues for each in range(1, version + 1)}
    assert told == dict.fromkeys(whole, 1)
    statuses = {issue: slug for issue, *_, slug in issues}
    for issue, verb, _, changes, _ in events:
        if verb == "issue.status_changed":
            assert statuses[issue] == _parsed(changes)["status"][1]
    return {key: version for _, key, _, version, _ in issues}


def read(database: str | Path, *statements: str) -> list[Rows]:
    """Return the rows of statements, of one moment each."""
    if isinstance(database, Path):
        file = sqlite3.connect(database)
        try:
            return [file.execute(each).fetchall() for each in statements]
        finally:
            file.close()
    with psycopg.connect(database) as server:
        return [server.execute(each.encode()).fetchall() for each in statements]


def _parsed(changes: Any) -> Any:
    return json.loads(changes) if isinstance(changes, str) else changes
