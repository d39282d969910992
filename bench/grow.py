"""`python -m bench.grow TIMES`: makes so many times the issues of a filled PostgreSQL database.

A million issues by `bench.load` would take ten minutes; copies of right rows, made by the server, take two.
Each copy has ids, numbers and places in the log of its own, and times some seconds later.
"""

import sys
from typing import Final

import django

django.setup()

from django.db import connection  # noqa: E402

from bench.fill import vacuum, without_indexes  # noqa: E402
from bench.load import TABLES  # noqa: E402
from issues.models import Comment, Issue, SearchDocument  # noqa: E402
from tracker.models import Event  # noqa: E402

_DIGITS: Final = "12345689abcdef"
"""A copy's ids are those of the original with another digit where UUIDs of version 7 have their 7."""
_SHIFT: Final = "interval '7 seconds' * copy.place"


def main() -> None:
    """Copy every table, then count on."""
    times = int(sys.argv[1])
    if not 2 <= times <= len(_DIGITS) + 1:
        raise SystemExit(f"2 to {len(_DIGITS) + 1} times")
    with connection.cursor() as cursor:
        cursor.execute(
            "SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'"
        )
        with without_indexes():
            for table, values in _tables().items():
                _copy(table, values, times)
            cursor.execute("UPDATE issues_project SET next_number = (next_number - 1) * %s + 1", [times])
            cursor.execute("UPDATE tracker_eventlog SET last_seq = (SELECT max(seq) FROM tracker_event)")
    vacuum()


def _tables() -> dict[str, dict[str, str]]:
    """Return the columns of each table that are not copied as they are, with what they become."""
    number = "(project.next_number - 1) * copy.place"
    ids = {"id": _other("source.id"), "issue_id": _other("source.issue_id")}
    own = {model._meta.db_table: dict(ids) for model in TABLES}
    issue, event = own[Issue._meta.db_table], own[Event._meta.db_table]
    del issue["issue_id"]
    issue["number"] = f"source.number + {number}"
    issue |= {name: f"source.{name} + {_SHIFT}" for name in ("created_at", "updated_at", "activity_at")}
    drawn = "row_number() OVER (ORDER BY copy.place, source.order)"
    event["seq"] = f"(SELECT last_seq FROM tracker_eventlog) + {drawn}"
    key = "split_part(source.issue_key, '-', {})"
    event["issue_key"] = f"{key.format(1)} || '-' || ({key.format(2)}::int + {number})"
    of_comment = f"WHEN source.verb LIKE 'comment%' THEN {_other('source.subject_id')}"
    event["subject_id"] = f"CASE {of_comment} ELSE source.subject_id END"
    event["at"] = f"source.at + {_SHIFT}"
    own[Comment._meta.db_table]["created_at"] = f"source.created_at + {_SHIFT}"
    own[SearchDocument._meta.db_table] = {"issue_id": _other("source.issue_id")}
    return own


def _other(column: str) -> str:
    return f"overlay({column}::text PLACING copy.digit FROM 15 FOR 1)::uuid"


def _copy(table: str, values: dict[str, str], times: int) -> None:
    drawn = {"tracker_event": "order", "issues_searchdocument": "id"}.get(table)
    with connection.cursor() as names:
        names.execute(
            "SELECT attname::text FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        columns = [row[0] for row in names.fetchall() if row[0] != drawn]
        made = ", ".join(values.get(name, f'source."{name}"') for name in columns)
        copies = ", ".join(f"({place}, '{_DIGITS[place - 1]}')" for place in range(1, times))
        has_project = any("project." in text for text in values.values())
        joined = "JOIN issues_project project ON project.id = source.project_id" if has_project else ""
        only = "WHERE source.issue_id IS NOT NULL" if table == "tracker_event" else ""
        listed = ", ".join(f'"{name}"' for name in columns)
        names.execute(
            f"INSERT INTO {table} ({listed}) SELECT {made} FROM {table} source {joined} "
            f"CROSS JOIN (VALUES {copies}) AS copy (place, digit) {only}"
        )


if __name__ == "__main__":
    main()
