"""A list of issues with its filters: the whole tracker's, or a project's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from issues import policy
from issues.catalog import ProjectInfo
from issues.forms.filters import SELECTS, Select, filter_selects, hidden_inputs
from issues.forms.issue import field_label
from issues.query.filters import PARAMETERS, QUERY, IssueFilter, read_filter
from issues.rows import COLUMNS, Row, rows_of_values
from issues.scope import scope_of
from issues.views.callers import person
from issues.views.cards import Card, cards
from issues.views.moments import Moments
from tracker.api.pagination import Page, paginate
from tracker.errors import Invalid
from tracker.events.numbering import head

PAGE_SIZE: Final = 50
_PAGING: Final = frozenset({"sort", "ordering", "cursor", "page", "size"})
_COLUMNS: Final = COLUMNS[:-1]


@dataclass(frozen=True, slots=True)
class Shown:
    """One filter that is on, and the address of the list without it."""

    label: str
    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list page shows."""

    cards: list[Card]
    next: str
    previous: str
    count: int | None
    selects: list[Select]
    kept: SafeString
    q: str
    errors: list[str]
    q_errors: list[str]
    filters: list[Shown]
    is_trash: bool
    may_bulk: bool
    export: str

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the project narrows the list."""
        return bool(self.filters or self.q)

    @property
    def is_refused(self) -> bool:
        """Whether the filters were wrong."""
        return bool(self.errors or self.q_errors or any(select.errors for select in self.selects))

    @property
    def has_more_filters(self) -> bool:
        """Whether the folded controls are in use, so that they are shown unfolded."""
        return any(select.is_set or select.errors for select in self.selects)


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """Every issue that the person may see."""
    live = head()
    listing = read_listing(request)
    scope = scope_of(request.user)
    context = {
        "live": live,
        "nav": "issues",
        "listing": listing,
        "may_file": scope.may("file_issue"),
        "may_see_trash": policy.can_trash(scope),
    }
    return _render(request, "issues/list.html", context, listing)


def _render(request: HttpRequest, template: str, context: dict[str, Any], listing: Listing) -> HttpResponse:
    return render(request, template, context, status=400 if listing.is_refused else 200)


def read_listing(request: HttpRequest, *, project: ProjectInfo | None = None) -> Listing:
    """Return the list that the address asks for: three queries (issues, labels, parents), none for controls.

    Wrong filters leave the list empty and are told at their controls. Raises `NotAllowed` (trash) and
    `NotFound` (page).
    """
    user = person(request)
    params = {name: ",".join(filter(None, map(str.strip, texts))) for name, texts in request.GET.lists()}
    params = {name: text for name, text in params.items() if text}
    asked = QueryDict(urlencode(params), mutable=True)
    if project is not None:
        asked["project"] = project.key
    request.GET = asked  # type: ignore[assignment]  # what paging reads; without what was left empty
    errors: Mapping[str, list[str]] = {}
    page, found = Page([], None, None), None
    try:
        found = read_filter(asked, user=user, ignore=_PAGING)
        page = _page(request, found)
    except Invalid as refusal:
        errors = refusal.fields or {QUERY: [refusal.message]}
    if project is not None:
        params.pop("project", None)
    selects = filter_selects(params, user=user, project=project, errors=errors)
    placed = {QUERY, *(select.name for select in selects)}
    return Listing(
        cards=cards(page.results, user=user, moments=Moments(user)),
        next=page.next or "",
        previous=page.previous or "",
        count=page.count,
        selects=selects,
        kept=hidden_inputs(
            {name: text for name, text in params.items() if name in PARAMETERS}, but={*SELECTS, QUERY}
        ),
        q=params.get(QUERY, ""),
        errors=[f"{name}: {text}" for name, texts in errors.items() if name not in placed for text in texts],
        q_errors=list(errors.get(QUERY, ())),
        filters=_shown(found, params, project),
        is_trash=found is not None and found.is_trashed,
        may_bulk=found is not None and not found.is_trashed and policy.can_bulk(scope_of(user)),
        export=_export(asked),
    )


def _page(request: HttpRequest, found: IssueFilter) -> Page:
    def rows(queryset: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        values = list(queryset.values_list(*_COLUMNS, *extra))
        width = len(_COLUMNS)
        made = rows_of_values([item[:width] for item in values], user=found.user, description=False)
        return list(zip(made, (item[width:] for item in values), strict=True))

    return paginate(
        request, found.issues(), rows=rows, sorts=found.sorts(), default=found.default_sort, size=PAGE_SIZE
    )


def _shown(found: IssueFilter | None, params: Mapping[str, str], project: ProjectInfo | None) -> list[Shown]:
    """Return the filters that are on; those inside the query text are seen there."""
    if found is None:
        return []
    chips = [chip for chip in found.chips if chip.parameter != QUERY]
    return [
        Shown(field_label(chip.field), ", ".join(chip.shown), _without(params, chip.parameter))
        for chip in chips
        if not (project is not None and chip.field == "project")
    ]


def _without(params: Mapping[str, str], name: str) -> str:
    left = {key: text for key, text in params.items() if key not in {name, "cursor", "page"}}
    return f"?{urlencode(left)}" if left else "?"


def _export(asked: QueryDict) -> str:
    """Return the address of the whole list as a file, to which the format is added."""
    kept = {name: text for name, text in asked.items() if name in PARAMETERS or name in {"sort", "ordering"}}
    return f"/api/v1/issues/export?{urlencode(kept)}"


def list_title(listing: Listing) -> str:
    """Return the heading of the list."""
    return _("Trash") if listing.is_trash else _("Issues")
