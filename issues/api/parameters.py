"""The query parameters of lists of issues, from the one table of what can be asked."""

from typing import Final

from issues.query.fields import FIELDS, Field
from issues.query.filters import QUERY, TRASHED, WORDS
from tracker.api.operations import Param

PAGE_PARAMETERS: Final = frozenset({"sort", "ordering", "size", "cursor", "page", "include"})
BOOLEAN: Final = ("true", "false")


def _param(name: str, field: Field) -> Param:
    if field.choices == BOOLEAN:
        return Param(name, "choice", choices=BOOLEAN, description=field.about)
    if field.is_single:
        return Param(name, description=field.about)
    words = f" ({', '.join(field.choices)})" if field.choices else ""
    return Param(
        name, description=f"{field.about}{words}; a comma for any of them, `!` in front for none of them"
    )


TRASHED_PARAMETER: Final = Param(
    TRASHED, "choice", choices=BOOLEAN, description="`true`: the trash instead, for who may see it"
)
FILTERS: Final = (
    *(_param(name, field) for name, field in FIELDS.items()),
    Param(WORDS, maximum=1000, description='words and "phrases" that must all occur in title or description'),
    Param(QUERY, maximum=1000, description="the query language"),
    TRASHED_PARAMETER,
)
SEARCH_FILTERS: Final = (
    *(param for param in FILTERS if param.name != QUERY),
    Param(QUERY, maximum=1000, required=True, description="words, or the query language"),
)
LIST_INCLUDE: Final = Param("include", "choice", choices=("description",), description="adds the description")
