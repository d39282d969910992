"""A pytest plugin: lets Django empty the event log between tests, which the database otherwise refuses."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def _the_log_may_be_flushed() -> Iterator[None]:
    flush = BaseDatabaseOperations.execute_sql_flush

    def lifted(operations: Any, statements: Sequence[str]) -> Any:
        before, after = _lift(operations.connection)
        return flush(operations, [*before, *statements, *after])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", lifted)
        yield


def _lift(connection: Any) -> tuple[list[str], list[str]]:
    from tracker.events.guard import guard_statements  # settings are ready only in a test

    if connection.vendor == "postgresql":
        table = "ALTER TABLE tracker_event"
        return [f"{table} DISABLE TRIGGER USER"], [f"{table} ENABLE TRIGGER USER"]
    statements = guard_statements(using=connection.alias)
    return [f"DROP TRIGGER IF EXISTS {name}" for name in statements], list(statements.values())
