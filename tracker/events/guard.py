"""The event log is append-only in the database too, whoever asks it.

Triggers refuse to delete a row, to number it twice, and to change anything else in it. One thing is left: a
purge blanks texts in `changes` and `data`, and such a row says so (`data.blanked`).
They are made after each migration, since SQLite loses the triggers of a table that Django rebuilds.
"""

from typing import Final

from django.db import connections

from tracker.models import Event

BLANKED: Final = "blanked"
"""The mark in `data` of an event whose texts a purge took."""
_MESSAGE: Final = "the event log is append-only"
_FREE: Final = {"seq", "changes", "data"}
_FIXED: Final = ", ".join(
    f'"{field.column}"' for field in Event._meta.concrete_fields if field.column not in _FREE
)

# Neither numbering nor recording names a column of these triggers, so they cost them nothing.
_RULES: Final = {
    "event_log_fixed": ("UPDATE OF " + _FIXED, "", ""),
    "event_log_numbered": ("UPDATE OF seq", "OLD.seq IS NOT NULL", "OLD.seq IS NOT NULL"),
    "event_log_texts": (
        "UPDATE OF changes, data",
        f"NOT NEW.data @> '{{\"{BLANKED}\": true}}'",
        f"json_extract(NEW.data, '$.{BLANKED}') IS NOT TRUE",
    ),
    "event_log_kept": ("DELETE", "", ""),
}
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION tracker_refuse_event() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$
"""


def guard_log(*, using: str) -> None:
    """Make the triggers that are not there yet; nothing where the log's table is not there."""
    connection = connections[using]
    if Event._meta.db_table not in connection.introspection.table_names():
        return
    present = guards(using=using)
    statements = [sql for name, sql in guard_statements(using=using).items() if name not in present]
    if statements:
        with connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)


def guards(*, using: str) -> set[str]:
    """Return the names of the triggers that are there."""
    connection = connections[using]
    named = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'tracker_event'::regclass"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'tracker_event'"
    )
    with connection.cursor() as cursor:
        cursor.execute(named)
        return {name for (name,) in cursor.fetchall()}


def missing_guards(*, using: str) -> list[str]:
    """Return the names of the triggers that are not there."""
    return sorted(set(guard_statements(using=using)) - {"tracker_refuse_event"} - guards(using=using))


def guard_statements(*, using: str) -> dict[str, str]:
    """Return what makes the triggers, by name; on PostgreSQL first the function that they run."""
    if connections[using].vendor != "postgresql":
        return {name: _sqlite(name, *rule) for name, rule in _RULES.items()}
    whole = ("TRUNCATE", "", "")
    return {
        "tracker_refuse_event": _FUNCTION,
        **{name: _postgres(name, rule, level="ROW") for name, rule in _RULES.items()},
        "event_log_whole": _postgres("event_log_whole", whole, level="STATEMENT"),
    }


def _postgres(name: str, rule: tuple[str, str, str], *, level: str) -> str:
    event, when, _ = rule
    condition = f"WHEN ({when}) " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON tracker_event FOR EACH {level} {condition}"
        "EXECUTE FUNCTION tracker_refuse_event()"
    )


def _sqlite(name: str, event: str, _: str, when: str) -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON tracker_event {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
    )
