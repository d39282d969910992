"""SQL about an issue of a query, over tables and columns that the models do not know."""

from typing import Any

from django.db.models import BooleanField, F, Func


class AboutIssue(Func):
    """A piece of SQL in which `{pk}` is the id of the issue, under whatever alias the query gave its table.

    It is text from the start, as a page of a search must not take longer to write than to run. What a reader
    sent is among `params`.
    """

    def __init__(self, sql: str, params: tuple[Any, ...], output_field: Any = None) -> None:
        super().__init__(F("pk"), output_field=output_field or BooleanField())
        self.sql, self.params = sql, params

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the text with the column in it."""
        del connection
        column, _params = compiler.compile(self.source_expressions[0])
        return self.sql.replace("{pk}", column), list(self.params)
