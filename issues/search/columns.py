"""Parts of SQL that the models do not know."""

from typing import Any

from django.db.models import BooleanField, F, Func, TextField, Value


class Beside(Func):
    """A column that the model lacks, in the row of its primary key."""

    def __init__(self, column: str, *, output_field: Any = None) -> None:
        super().__init__(F("pk"), output_field=output_field or TextField())
        self.column = column

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Return the column of the same row, under whatever alias the query gave the table."""
        key: Any = self.source_expressions[0]
        quote = compiler.quote_name_unless_alias
        return f"{quote(key.alias)}.{quote(self.column)}", []


class Found(Func):
    """Whether the vector of a search document matches a tsquery."""

    template = "%(expressions)s::tsquery"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, query: str) -> None:
        super().__init__(Beside("vector"), Value(query, output_field=TextField()))
