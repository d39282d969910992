"""Lists of issues as files."""

from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from issues.api.parameters import FILTERS
from issues.query.filters import read_filter
from issues.query.sorts import SORT_NAMES
from tracker.api.operations import Param, operation
from tracker.api.pagination import asked_sort, parse_sort
from tracker.api.views import ApiView
from tracker.clock import now
from tracker.errors import Invalid
from tracker.web.streaming import stream
from transfer.csv_columns import COLUMNS
from transfer.exporting.reading import exported_rows
from transfer.exporting.writing import FORMATS

# What a row of the API's list has, with the description.
JSON_COLUMNS: Final = (
    "id", "key", "url", "project", "number", "title", "description", "type", "status", "severity", "priority",
    "reporter", "assignee", "labels", "milestone", "cycle", "parent", "team", "estimate", "due_date",
    "department", "version", "created_at", "updated_at", "started_at", "closed_at", "activity_at",
)  # fmt: skip
_OWN: Final = frozenset({"format", "columns", "sort", "ordering"})
_FORMAT: Final = Param("format", "choice", choices=tuple(FORMATS), default="csv")
_COLUMNS: Final = Param(
    "columns", description="names of columns, of JSON those of fields, separated by commas; all unless given"
)


class ExportView(ApiView):
    """The whole list as a file."""

    answers_json = False

    @operation(
        query=(*FILTERS, _FORMAT, _COLUMNS),
        sorts=SORT_NAMES,
        statuses=(403,),
        response=list[dict[str, Any]],
        files=[kind.media_type.partition(";")[0] for kind in FORMATS.values() if kind.suffix != "json"],
        summary="Export issues",
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Send every issue that matches, in the order of the list: CSV, JSON or XLSX."""
        query = self.query
        asked = read_filter(self.http_request.GET, user=self.user, ignore=_OWN)
        text = asked_sort(self.http_request) or asked.default_sort
        sort = parse_sort(text, sorts=asked.sorts())
        kind = FORMATS[query["format"]]
        columns = _columns(query["columns"], is_json=query["format"] == "json")
        rows = exported_rows(asked.issues(), user=self.user, sort=sort)
        pieces = kind.write(rows, columns)
        body: Any = iter(()) if request.method == "HEAD" else stream(self.http_request, pieces)
        filename = f"issues-{now():%Y-%m-%d}.{kind.suffix}"
        response = self.file(body, filename=filename, media_type=kind.media_type)
        response["Cache-Control"] = "private, no-store"
        response["X-Accel-Buffering"] = "no"
        return HttpResponse(headers=dict(response.items())) if request.method == "HEAD" else response


def _columns(text: str | None, *, is_json: bool) -> tuple[str, ...]:
    known = JSON_COLUMNS if is_json else COLUMNS
    names = tuple(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown:
        sentence = f"Unknown: {', '.join(unknown)[:100]}. Known: {', '.join(known)}."
        raise Invalid(fields={"columns": [sentence]})
    return names or (() if is_json else COLUMNS)
