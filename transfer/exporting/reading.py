"""The issues of a list in its order, a chunk at a time, with flat memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import User
from issues.querysets import IssueQuerySet
from issues.rows import COLUMNS, Row, rows_of_values
from tracker.api.pagination import Sort, after

CHUNK: Final = 500


def exported_rows(issues: IssueQuerySet, *, user: User, sort: Sort) -> Iterator[Row]:
    """Yield the issues as the API's list has them, with their description.

    On PostgreSQL one server-side cursor in a transaction of its own: the file is the list of one moment. On
    SQLite, whose transactions would keep writers waiting, one query for each chunk, by keyset.
    """
    listed = issues.annotate(**sort.annotations) if sort.annotations else issues
    chunks = _by_cursor(listed, sort) if connection.vendor == "postgresql" else _by_keyset(listed, sort)
    for chunk in chunks:
        yield from rows_of_values(chunk, user=user, description=True)


def _by_cursor(issues: IssueQuerySet, sort: Sort) -> Iterator[list[Any]]:
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:  # labels and parents are read beside the cursor, from the same moment
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows = issues.order_by(*sort.ordering).values_list(*COLUMNS).iterator(chunk_size=CHUNK)
        yield from _chunked(rows)


def _by_keyset(issues: IssueQuerySet, sort: Sort) -> Iterator[list[Any]]:
    ordered = issues.order_by(*sort.ordering)
    width = len(COLUMNS)
    beyond = ordered
    while found := list(beyond.values_list(*COLUMNS, *sort.names)[:CHUNK]):
        yield found
        if len(found) < CHUNK:
            return
        beyond = ordered.filter(after(sort, found[-1][width:]))


def _chunked(rows: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
