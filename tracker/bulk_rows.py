"""Many new rows of one table at once: COPY on PostgreSQL, one prepared INSERT on SQLite. For services alone.

Making and saving model instances costs several times as much as storing the rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import connection, models
from psycopg import sql

Values = Sequence[Any]


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    """Insert rows, whose values are in the order of `columns` (attribute names); JSON is given as text, other
    values as themselves or as text.

    What is left out needs a default in the database. No rows, no statement.
    """
    rows = list(rows)
    if not rows:
        return
    with rows_into(model, columns) as take:
        for row in rows:
            take(row)


@contextmanager
def rows_into(model: type[models.Model], columns: Sequence[str]) -> Iterator[Callable[[Values], None]]:
    """Give what takes such rows one by one.

    On PostgreSQL they are stored while the next are made; until the end there can be no other statement.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(_copy_of(model, tuple(columns))) as copy:
            yield copy.write_row
    else:
        rows: list[Values] = []
        yield rows.append
        _insert(model, columns, rows)


@lru_cache(maxsize=64)
def _copy_of(model: type[models.Model], columns: tuple[str, ...]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(field.column) for field in _fields(model, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)


def _insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    fields = _fields(model, tuple(columns))
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    prepared = [
        [
            value if isinstance(field, models.JSONField) else field.get_db_prep_save(value, connection)
            for field, value in zip(fields, row, strict=True)
        ]
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", prepared)  # noqa: S608  names of columns


@lru_cache(maxsize=64)
def _fields(model: type[models.Model], columns: tuple[str, ...]) -> list[Any]:
    by_name: dict[str, Any] = {field.attname: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in columns]
