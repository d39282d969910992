"""The audit: every event, to be read by who may, never changed.

Pages are counted only as far as a person would turn them.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.models import User, fold_email
from accounts.people import people
from issues.catalog import catalog
from issues.events.verbs import VERBS
from issues.refs import parse_uuid
from tracker.admin_base import ReadOnlyAdmin
from tracker.models import Event
from tracker.versions import versions_of

COUNTED: Final = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `COUNTED`: older events are reached by a date, not by paging."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or `COUNTED`."""
        events: Any = self.object_list
        return int(events[:COUNTED].count())


class VerbFilter(admin.SimpleListFilter):
    """What was done."""

    title = "verb"
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every verb there is."""
        return [(name, name) for name in VERBS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keep events of the verb."""
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ProjectFilter(admin.SimpleListFilter):
    """Where it was done."""

    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every project."""
        projects = catalog(versions_of(request.user)).projects.values()
        return [
            (str(each.id), f"{each.key} {each.name}") for each in sorted(projects, key=lambda each: each.key)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keep events of the project."""
        value = self.value()
        return queryset.filter(project_id=parse_uuid(value)) if value else queryset


class TypedFilter(admin.SimpleListFilter):
    """A filter whose value is typed into a field, without a script."""

    template = "admin/issues/typed_filter.html"
    input_type = "text"
    placeholder = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return one entry, so that the filter is shown."""
        return [("", "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Return the other parameters, which the form keeps."""
        kept = dict(changelist.get_filters_params()) | ({"q": changelist.query} if changelist.query else {})
        others = [
            (name, item)
            for name, value in kept.items()
            if name != self.parameter_name
            for item in (value if isinstance(value, list) else [value])
        ]
        yield {
            "others": others,
            "name": self.parameter_name,
            "value": self.value() or "",
            "type": self.input_type,
            "placeholder": self.placeholder,
        }


class ActorFilter(TypedFilter):
    """Who did it, by address."""

    title = "actor"
    parameter_name = "actor"
    placeholder = "name@example.com"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keep what this person did; nothing where there is none."""
        value = self.value()
        if not value:
            return queryset
        person = User.objects.filter(email=fold_email(value)).values_list("pk", flat=True).first()
        return queryset.filter(actor_id=person) if person else queryset.none()


class _DayFilter(TypedFilter):
    input_type = "date"
    lookup = ""
    at = time.min

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keep events on this side of the day; what is no date keeps none."""
        if not self.value():
            return queryset
        try:
            day = date.fromisoformat(str(self.value()))
        except ValueError:
            return queryset.none()
        return queryset.filter(**{self.lookup: datetime.combine(day, self.at, tzinfo=ZoneInfo("UTC"))})


class FromFilter(_DayFilter):
    """From this day on."""

    title = "first day (UTC)"
    parameter_name = "from"
    lookup = "at__gte"


class UntilFilter(_DayFilter):
    """Up to this day."""

    title = "last day (UTC)"
    parameter_name = "until"
    lookup = "at__lte"
    at = time.max


class AuditList(ChangeList):
    """Reads the names of all people on the page at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the names."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        names = people((event.actor_id for event in self.result_list), versions=versions_of(request.user))
        projects = catalog(versions_of(request.user)).projects
        for event in self.result_list:
            person = names.get(event.actor_id)
            event.actor_name = person["name"] if person else ""
            event.project_key = projects[event.project_id].key if event.project_id in projects else ""


@admin.register(Event)
class AuditAdmin(ReadOnlyAdmin):
    """The event log with everything in it, also of users, roles and teams; the newest first."""

    permission = "accounts.view_audit"
    list_display = ("at", "seq", "verb", "who", "source", "where", "summary")
    list_display_links = ("at", "seq")
    list_filter: ClassVar = [VerbFilter, ActorFilter, ProjectFilter, FromFilter, UntilFilter, "source"]
    search_fields = ("=issue_key",)
    search_help_text = "The key of an issue, such as API-12."
    ordering = ("-order",)
    sortable_by = ()
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    fields = (
        "seq", "at", "recorded_at", "verb", "who", "source", "where", "version", "subject_id", "cause_id",
        "request_id", "internal", "told_changes", "told_data",
    )  # fmt: skip
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that reads names at once."""
        return AuditList

    @admin.display(description="Actor")
    def who(self, obj: Event) -> str:
        """The name; empty where the system itself acted."""
        name = getattr(obj, "actor_name", None)
        if name is None:
            person = User.objects.filter(pk=obj.actor_id).first() if obj.actor_id else None
            name = f"{person.name} ({person.email})" if person else ""
        return name or "–"

    @admin.display(description="Where")
    def where(self, obj: Event) -> str:
        """The issue's key as it was then, or the project's."""
        return obj.issue_key or getattr(obj, "project_key", "") or str(obj.project_id or "–")

    @admin.display(description="What changed")
    def summary(self, obj: Event) -> str:
        """The fields that changed, with short values written out."""
        parts = []
        for field, pair in obj.changes.items():
            texts = [json.dumps(value, ensure_ascii=False) for value in pair]
            parts.append(f"{field}: {' → '.join(texts)}" if all(len(text) < 40 for text in texts) else field)
        return "; ".join(parts)

    @admin.display(description="Changes")
    def told_changes(self, obj: Event) -> str:
        """Before and after, in full."""
        return _pretty(obj.changes)

    @admin.display(description="Data")
    def told_data(self, obj: Event) -> str:
        """What else the event holds."""
        return _pretty(obj.data)


def _pretty(value: Any) -> str:
    return format_html("<pre>{}</pre>", json.dumps(value, ensure_ascii=False, indent=2)) if value else "–"
