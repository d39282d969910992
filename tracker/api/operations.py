"""What a view declares about each of its methods: body, answer, query, statuses.

The declaration feeds the schema and, for the query, the check of what is sent.
"""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, TypeVar

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime

from tracker.clock import cut
from tracker.errors import Invalid

Kind = Literal["text", "whole", "flag", "day", "moment", "uuid", "choice"]
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False, "1": True, "0": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_ZONED: Final = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
MAX_QUERY_TEXT: Final = 400
"""Of a parameter that says nothing else: all filters at once stay below the 16 KiB that servers read."""


@dataclass(frozen=True, slots=True)
class Param:
    """A query parameter: its name, its form, and what counts when it is left out."""

    name: str
    kind: Kind = "text"
    choices: Sequence[str] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    required: bool = False
    description: str = ""

    def parse(self, text: str) -> Any:
        """Return the value of the text. Raises ValueError with a sentence."""
        return _PARSERS[self.kind](self, text)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a view, as the schema tells it."""

    summary: str = ""
    request: Any = None
    response: Any = None
    status: int = 200
    query: tuple[Param, ...] = ()
    any_query: bool = False
    paginated: bool = False
    sorts: tuple[str, ...] = ()
    etag: bool = False
    ranges: bool = False
    statuses: tuple[int, ...] = ()
    multipart: Any = None
    media_type: str = "application/json"
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    known: frozenset[str] = field(default_factory=frozenset)


_PAGING: Final = (
    Param("size", "whole", minimum=1, maximum=100, default=20, description="Rows a page."),
    Param(
        "cursor",
        maximum=2000,
        description="From `next` or `previous` of another page; not together with `page`.",
    ),
    Param("page", "whole", minimum=1, description="A page by number, with an exact `count`."),
)

Handler = TypeVar("Handler", bound=Callable[..., Any])


def operation(
    *,
    request: Any = None,
    response: Any = None,
    status: int | None = None,
    query: Sequence[Param] = (),
    any_query: bool = False,
    paginated: bool = False,
    sorts: Sequence[str] = (),
    etag: bool = False,
    ranges: bool = False,
    statuses: Sequence[int] = (),
    multipart: Any = None,
    media_type: str = "application/json",
    files: Sequence[str] = (),
    summary: str = "",
    tags: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Declare a method of an `ApiView`.

    `request` is a `Body` class; `multipart` one that is also (or only) taken as multipart/form-data.
    `response` is a TypedDict, or a type made of such; of a paginated operation it is that of one row;
    None for no body.
    `status` is 200, or 204 where there is no response. `statuses` are those beyond the common ones
    (409, 412, 422 …). `etag` says that the reply carries a tag: If-Match or If-None-Match apply.
    `ranges` says that a part of the file may be asked for by `Range`: 206 and 416.
    `files`: further media types in which it answers. `any_query` leaves unknown query parameters to the view.
    """
    sortable = (Param("sort"), Param("ordering")) if sorts else ()
    params = (*query, *(_PAGING if paginated else ()), *sortable)
    declared = Operation(
        summary=summary,
        request=request,
        response=response,
        status=status or (204 if response is None and media_type == "application/json" else 200),
        query=tuple(query) + (_PAGING if paginated else ()),
        any_query=any_query,
        paginated=paginated,
        sorts=tuple(sorts),
        etag=etag,
        ranges=ranges,
        statuses=tuple(statuses),
        multipart=multipart,
        media_type=media_type,
        files=tuple(files),
        tags=tuple(tags),
        known=frozenset(param.name for param in params),
    )

    def mark(handler: Handler) -> Handler:
        handler.operation = declared  # type: ignore[attr-defined]  # read by the view and the schema
        return handler

    return mark


def operation_of(handler: Any) -> Operation:
    """Return what was declared, or the bare default."""
    return getattr(handler, "operation", None) or _BARE


def parse_query(declared: Operation, sent: QueryDict) -> dict[str, Any]:
    """Return the value of every declared parameter, its default where it was not sent.

    Raises Invalid naming each unknown parameter and each value that is not of its form.
    """
    problems: dict[str, list[str]] = {}
    if not declared.any_query:
        problems = {name: ["Unknown parameter."] for name in sent if name not in declared.known}
    values: dict[str, Any] = {}
    for param in declared.query:
        text = sent.get(param.name)
        if text is None:
            values[param.name] = param.default
            if param.required:
                problems[param.name] = ["This parameter is required."]
            continue
        try:
            values[param.name] = param.parse(text)
        except ValueError as problem:
            problems[param.name] = [str(problem)]
    if problems:
        raise Invalid(fields=problems)
    return values


def parse_moment(text: str) -> datetime:
    """Return an ISO time with its zone, or the UTC midnight of a date. Raises ValueError with a sentence."""
    try:
        moment = parse_datetime(text.replace(" ", "+")) if _ZONED.search(text) or "T" in text else None
        if moment is None:
            day = parse_day(text)
            moment = datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")
    except ValueError:
        raise ValueError("Must be a time such as 2026-12-01T09:30:00Z, or a date.") from None
    if moment.tzinfo is None:
        raise ValueError("A time needs its zone, such as Z or +02:00.")
    if not 1900 <= moment.year <= 2200:
        raise ValueError("Years go from 1900 to 2200.")
    return cut(moment)


def parse_day(text: str) -> date:
    """Return a date of the years 1900 to 2200. Raises ValueError with a sentence."""
    day = parse_date(text) if len(text) == 10 else None
    if day is None:
        raise ValueError("Must be a date such as 2026-12-01.")
    if not 1900 <= day.year <= 2200:
        raise ValueError("Years go from 1900 to 2200.")
    return day


def _text(param: Param, text: str) -> str:
    limit = param.maximum or MAX_QUERY_TEXT
    if len(text) > limit:
        raise ValueError(f"At most {limit} characters.")
    return text


def _whole(param: Param, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("Must be a whole number.")
    value = int(text)
    if (param.minimum is not None and value < param.minimum) or (
        param.maximum is not None and value > param.maximum
    ):
        bounds = [str(bound) for bound in (param.minimum, param.maximum) if bound is not None]
        raise ValueError(
            f"Must be {'from ' + ' to '.join(bounds) if len(bounds) > 1 else 'within its bounds'}."
        )
    return value


def _flag(_param: Param, text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError("Must be true or false.")
    return _FLAGS[text]


def _uuid(_param: Param, text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ValueError("Must be an id.") from None


def _choice(param: Param, text: str) -> str:
    if text not in param.choices:
        raise ValueError(f"Must be one of: {', '.join(param.choices)}.")
    return text


_PARSERS: Final[Mapping[Kind, Callable[[Param, str], Any]]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "day": lambda _param, text: parse_day(text),
    "moment": lambda _param, text: parse_moment(text),
    "uuid": _uuid,
    "choice": _choice,
}
_BARE: Final = Operation()
