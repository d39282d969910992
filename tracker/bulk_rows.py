"""Many new rows of one table at once: COPY on PostgreSQL, one prepared INSERT on SQLite. For services alone.

Making and saving model instances costs several times as much as storing the rows.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models
from psycopg import sql

Values = Sequence[Any]


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    """Insert rows, whose values are in the order of `columns` (attribute names); JSON is given as text.

    What is left out needs a default in the database. No rows, no statement.
    """
    rows = list(rows)
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(model, columns, rows)
    else:
        _insert(model, columns, rows)


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    names = sql.SQL(", ").join(sql.Identifier(field.column) for field in _fields(model, tuple(columns)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


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
