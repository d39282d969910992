"""`python -m bench.fill COUNT`: migrates the database of the settings, and fills it with COUNT issues."""

import contextlib
import gc
import sys
import time
from collections.abc import Iterator

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.frame import make_frame  # noqa: E402
from bench.load import TABLES, load  # noqa: E402
from bench.plan import filings  # noqa: E402
from issues.models import SearchDocument  # noqa: E402


def main() -> None:
    """Fill, and say how long it took."""
    count = int(sys.argv[1])
    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
    frame = make_frame()
    gc.disable()  # millions of rows that live for a second make no cycles, and looking for them takes a third
    start = time.monotonic()
    with without_indexes():
        load(filings(count), frame)
    vacuum()
    seconds = time.monotonic() - start
    sys.stdout.write(f"{count} issues in {seconds:.0f} s, {count / seconds:.0f} a second\n")


def vacuum() -> None:
    """Let the planner know what there is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")


@contextlib.contextmanager
def without_indexes() -> Iterator[None]:
    """Leave the indexes and the foreign keys of the large tables to the end, where they cost a fraction."""
    if connection.vendor != "postgresql":
        yield
        return
    tables = [model._meta.db_table for model in (*TABLES, SearchDocument)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint)",
            [tables],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
            [tables],
        )
        keys = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        for table, name, _definition in keys:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    yield
    with connection.cursor() as cursor:
        for _name, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


if __name__ == "__main__":
    main()
