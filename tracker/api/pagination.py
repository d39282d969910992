"""Pages of a list: by keyset on (sort values, id), or by number with an exact count.

A page costs one data query: `size + 1` rows are read, the last one only tells that there are more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest

from tracker.api.cursors import Cursor, decode
from tracker.errors import Invalid, NotFound

DEFAULT_SIZE: Final = 20
MAX_SIZE: Final = 100
_MAX_PAGE: Final = 10**9

Row = dict[str, Any]
Rows = Callable[[QuerySet[Any], tuple[str, ...]], list[tuple[Row, tuple[Any, ...]]]]
"""Given the sliced queryset and the names of further columns: each row with the values of these columns.

Such a builder reads `queryset.values_list(*COLUMNS, *extra)` and returns `(row, values[len(COLUMNS):])`;
`rows_of_objects` makes one for lists where speed is no matter.
"""


class SortKey:
    """What one name of `sort` stands for: columns, look-ups (`project__key`) or annotations, in order.

    `nullable` says that the columns may be empty: empty values come last in both directions. Values
    must be exact in the database (an annotation that is a float must be of double precision).
    `annotate` are annotations that are only made where the list is sorted by this key. `best_first`: the
    highest come first with and without `-`.
    """

    def __init__(
        self,
        *columns: str,
        nullable: bool = False,
        annotate: Mapping[str, Any] | None = None,
        best_first: bool = False,
    ) -> None:
        self.columns = columns
        self.nullable = nullable
        self.best_first = best_first
        self.annotate = dict(annotate or {})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sort with its direction."""

    name: str
    descending: bool
    nullable: bool

    def ordered(self, *, backwards: bool) -> OrderBy:
        """Return the term for ORDER BY."""
        descending = self.descending != backwards
        options: dict[str, Any] = {}
        if self.nullable:
            options = {"nulls_first": True} if backwards else {"nulls_last": True}
        return F(self.name).desc(**options) if descending else F(self.name).asc(**options)

    def beyond(self, value: Any, *, backwards: bool) -> Q | None:
        """Return the condition for values that come after this one; None where none can."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if backwards else None
        operator = "lt" if self.descending != backwards else "gt"
        condition = Q(**{f"{self.name}__{operator}": value})
        if self.nullable and not backwards:
            condition |= Q(**{f"{self.name}__isnull": True})
        return condition

    def equal(self, value: Any) -> Q:
        """Return the condition for the same value."""
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


@dataclass(frozen=True, slots=True)
class Sort:
    """A parsed sort; the id, which breaks ties, is its last column."""

    text: str
    columns: tuple[Column, ...]
    annotations: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns whose values make a cursor."""
        return tuple(column.name for column in self.columns)

    @property
    def ordering(self) -> tuple[OrderBy, ...]:
        """The terms for ORDER BY."""
        return tuple(column.ordered(backwards=False) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows and the way to its neighbours."""

    results: list[Row]
    next: str | None
    previous: str | None
    count: int | None = None

    def body(self) -> dict[str, Any]:
        """Return the page as the API writes it."""
        body: dict[str, Any] = {"results": self.results, "next": self.next, "previous": self.previous}
        return body if self.count is None else body | {"count": self.count}

    @property
    def link(self) -> str:
        """The same as a `Link` header; empty where there is no neighbour."""
        neighbours = (("next", self.next), ("prev", self.previous))
        return ", ".join(f'<{url}>; rel="{name}"' for name, url in neighbours if url)


def paginate(
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    rows: Rows,
    sorts: Mapping[str, SortKey],
    default: str,
    id_column: str = "id",
    size: int = DEFAULT_SIZE,
) -> Page:
    """Return the page that the request asks for by `cursor` or `page`, `size` and `sort`.

    `default` is a sort in the same form (`-created_at`). Raises Invalid for a bad parameter and NotFound
    for a page past the end. One query for a page by cursor, one more for the exact count of `page=`.
    """
    size = _size(request, size)
    sort = parse_sort(asked_sort(request) or default, sorts=sorts, id_column=id_column)
    if sort.annotations:
        queryset = queryset.annotate(**sort.annotations)
    if "page" in request.GET:
        return _numbered(request, queryset, rows=rows, sort=sort, size=size)
    return _by_keyset(request, queryset, rows=rows, sort=sort, size=size)


def paginate_list(request: HttpRequest, items: Sequence[Row], *, size: int = DEFAULT_SIZE) -> Page:
    """Return a page of a short list that is in memory, in its order; the same parameters but `sort`."""
    size = _size(request, size)
    if "page" in request.GET:
        return _numbered_list(request, items, size=size)
    start = 0
    if "cursor" in request.GET:
        values = decode(request.GET["cursor"], sort="#").values
        if len(values) != 1 or not isinstance(values[0], int):
            raise Invalid(fields={"cursor": ["Not a cursor of this list."]})
        start = values[0]
    return Page(
        list(items[start : start + size]),
        _with_cursor(request, Cursor("#", (start + size,))) if start + size < len(items) else None,
        _with_cursor(request, Cursor("#", (max(0, start - size),))) if start > 0 else None,
    )


def rows_of_objects(build: Callable[[Any], Row]) -> Rows:
    """Return a row builder that makes each row from a model instance."""

    def build_rows(queryset: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        return [(build(item), tuple(_attribute(item, name) for name in extra)) for item in queryset]

    return build_rows


def parse_sort(text: str, *, sorts: Mapping[str, SortKey], id_column: str = "id") -> Sort:
    """Return the sort of `-priority,created_at`. Raises Invalid naming what is not in the closed list."""
    columns: dict[str, Column] = {}
    annotations: dict[str, Any] = {}
    descending = False
    for part in text.split(","):
        name = part.removeprefix("-").strip()
        key = sorts.get(name)
        if key is None:
            raise Invalid(fields={"sort": [f"Unknown field “{name[:100]}”. Known: {', '.join(sorts)}."]})
        descending = part.startswith("-") or key.best_first
        annotations |= key.annotate
        for column in key.columns:
            columns.setdefault(column, Column(column, descending, key.nullable))
    columns.setdefault(id_column, Column(id_column, descending, nullable=False))
    return Sort(text, tuple(columns.values()), annotations)


def _by_keyset(request: HttpRequest, queryset: QuerySet[Any], *, rows: Rows, sort: Sort, size: int) -> Page:
    cursor = decode(request.GET["cursor"], sort=sort.text) if "cursor" in request.GET else None
    backwards = cursor is not None and cursor.backwards
    if cursor is not None and cursor.values:
        if len(cursor.values) != len(sort.columns):
            raise Invalid(fields={"cursor": ["Not a cursor of this list."]})
        queryset = queryset.filter(after(sort, cursor.values, backwards=backwards))
    ordered = queryset.order_by(*(column.ordered(backwards=backwards) for column in sort.columns))
    found = rows(ordered[: size + 1], sort.names)
    has_more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_next, has_previous = (True, has_more) if backwards else (has_more, cursor is not None)
    return Page(
        [row for row, _ in found],
        _with_cursor(request, Cursor(sort.text, tuple(found[-1][1]))) if has_next and found else None,
        # past the end the way back is to the last page
        _with_cursor(request, Cursor(sort.text, tuple(found[0][1]) if found else (), backwards=True))
        if has_previous
        else None,
    )


def after(sort: Sort, values: tuple[Any, ...], *, backwards: bool = False) -> Q:
    """Return the condition for the rows after (before) these values, in the order of the sort."""
    terms: list[Q] = []
    prefix = Q()
    for column, value in zip(sort.columns, values, strict=True):
        condition = column.beyond(value, backwards=backwards)
        if condition is not None:
            terms.append(prefix & condition)
        prefix &= column.equal(value)
    first, value = sort.columns[0], values[0]
    bound = Q()
    if not first.nullable and len(sort.columns) > 1:  # implied, but lets the planner start in the index
        bound = Q(**{f"{first.name}__{'lte' if first.descending != backwards else 'gte'}": value})
    return bound & reduce(or_, terms)


def _numbered(request: HttpRequest, queryset: QuerySet[Any], *, rows: Rows, sort: Sort, size: int) -> Page:
    number = _page_number(request)
    ordered = queryset.order_by(*sort.ordering)
    total = queryset.order_by().count()
    _refuse_past_the_end(number, size=size, total=total)
    start = (number - 1) * size
    results = [row for row, _ in rows(ordered[start : start + size], sort.names)] if total else []
    return _numbered_page(request, results, number=number, size=size, total=total)


def _numbered_list(request: HttpRequest, items: Sequence[Row], *, size: int) -> Page:
    number = _page_number(request)
    _refuse_past_the_end(number, size=size, total=len(items))
    results = list(items[(number - 1) * size : number * size])
    return _numbered_page(request, results, number=number, size=size, total=len(items))


def _refuse_past_the_end(number: int, *, size: int, total: int) -> None:
    if number > 1 and (number - 1) * size >= total:
        raise NotFound("There is no such page.")


def _numbered_page(request: HttpRequest, results: list[Row], *, number: int, size: int, total: int) -> Page:
    return Page(
        results,
        _url(request, page=str(number + 1)) if number * size < total else None,
        _url(request, page=str(number - 1)) if number > 1 else None,
        total,
    )


def _page_number(request: HttpRequest) -> int:
    if "cursor" in request.GET:
        raise Invalid(fields={"page": ["Send either page or cursor."]})
    return _whole(request, "page", 1, _MAX_PAGE)


def _size(request: HttpRequest, default: int) -> int:
    return _whole(request, "size", 1, MAX_SIZE) if "size" in request.GET else default


def _whole(request: HttpRequest, name: str, low: int, high: int) -> int:
    text = request.GET[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and low <= int(text)):
        raise Invalid(fields={name: [f"Must be a whole number from {low}."]})
    if int(text) > high:
        if name == "page":
            raise NotFound("There is no such page.")
        raise Invalid(fields={name: [f"Must be a whole number from {low} to {high}."]})
    return int(text)


def asked_sort(request: HttpRequest) -> str:
    """Return the sort of the request, empty where it has none. Raises Invalid."""
    text = request.GET.get("sort", request.GET.get("ordering"))
    if text is None:
        return ""
    if not text.strip():
        raise Invalid(fields={"sort": ["Name a field to sort by."]})
    return text


def _with_cursor(request: HttpRequest, cursor: Cursor) -> str:
    return _url(request, cursor=cursor.encode())


def _url(request: HttpRequest, **changes: str) -> str:
    sent = [(name, text) for name, texts in request.GET.lists() if name not in changes for text in texts]
    return f"{origin(request)}{request.path}?{urlencode([*sent, *changes.items()])}"


def origin(request: HttpRequest) -> str:
    """Return scheme and host as the client knows them; behind a proxy the scheme is that of `BASE_URL`."""
    host = request.get_host()
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme if base.netloc == host else request.scheme}://{host}"


def _attribute(item: Any, path: str) -> Any:
    for name in path.split("__"):
        item = getattr(item, name, None)
    return item
