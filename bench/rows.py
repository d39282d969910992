"""Many rows into one table at once: COPY on PostgreSQL, one prepared INSERT on SQLite."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql

Values = tuple[Any, ...]


def check_columns(model: type[models.Model], columns: Sequence[str]) -> None:
    """Raise `ValueError` unless these are all columns of the table: a new one must be filled as well."""
    known = {field.attname for field in model._meta.concrete_fields}
    if known != set(columns):
        raise ValueError(f"{model.__name__}: {sorted(known ^ set(columns))} is not filled, or not there")


def write_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    """Insert rows, whose values are in the order of `columns` (attribute names)."""
    if connection.vendor == "postgresql":
        _copy(model, columns, rows)
    else:
        _insert(model, columns, rows)


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    names = sql.SQL(", ").join(sql.Identifier(_field(model, name).column) for name in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values]) -> None:
    fields = [_field(model, name) for name in columns]
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
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", prepared)


def _field(model: type[models.Model], name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if field.attname == name)
