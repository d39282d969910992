"""The admin pages of projects, with one for the workflow. Everything is written by the services."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import Team
from issues.admin.workflows import workflow_view
from issues.models import Project
from issues.services.presets import DEFAULT_PRESET, PRESETS
from issues.services.projects import archive_project, create_project, edit_project, unarchive_project
from tracker.admin_base import ServiceAdmin, ServiceForm
from tracker.caller import Caller


class ProjectForm(ServiceForm):
    """A project; the preset counts when it is made, the archive afterwards."""

    preset = forms.ChoiceField(choices=[(name, name) for name in PRESETS], initial=DEFAULT_PRESET)
    in_teams = forms.ModelMultipleChoiceField(
        queryset=Team.objects.order_by("name"),
        required=False,
        label="Teams",
        widget=forms.CheckboxSelectMultiple,
    )
    archived = forms.BooleanField(required=False, help_text="An archived project can be read, not changed.")

    class Meta:
        model = Project
        fields = ("key", "name", "description", "visibility", "lead", "reporters_see_all", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            del self.fields["archived"]
        else:
            del self.fields["preset"]
            self.initial["in_teams"] = list(self.instance.teams.all())
            self.initial["archived"] = self.instance.is_archived


_COMMON = ("name", "description", "visibility", "lead", "in_teams", "reporters_see_all", "time_zone")


@admin.register(Project)
class ProjectAdmin(ServiceAdmin):
    """Projects are archived, never deleted."""

    permission = "issues.manage_project"
    form = ProjectForm
    list_display = ("key", "name", "visibility", "lead", "workflow", "archived_at", "created_at")
    list_filter = ("visibility", "workflow_preset", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("lead",)
    search_fields = ("key", "name")
    ordering = ("key",)
    autocomplete_fields = ("lead",)
    actions = ("archive", "unarchive")
    _renamed: ClassVar[Mapping[str, str]] = {"in_teams": "teams"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """Only projects that who asks sees."""
        projects: QuerySet[Project] = Project.objects.visible_to(request.user)
        return projects.order_by(*self.ordering)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Key and preset are chosen once."""
        return ("key", "preset", *_COMMON) if obj is None else ("key", *_COMMON, "archived", "workflow")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key stays."""
        return () if obj is None else ("key", "workflow")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the workflow."""
        page = self.admin_site.admin_view(self._workflow_page)
        return [
            path("<uuid:project_id>/workflow/", page, name="issues_project_workflow"),
            *super().get_urls(),
        ]

    def _workflow_page(self, request: HttpRequest, project_id: Any) -> Any:
        return workflow_view(self, request, project_id)

    @admin.display(description="Workflow")
    def workflow(self, obj: Project) -> str:
        """A link to its page."""
        url = reverse("admin:issues_project_workflow", args=[obj.pk])
        return format_html('<a href="{}">{}, version {}</a>', url, obj.workflow_preset, obj.workflow_version)

    def create(self, *, by: Caller, values: Mapping[str, Any]) -> Project:
        """Make a project with a copy of the preset's workflow."""
        return create_project(by=by, **self._named(values))

    def edit(self, row: Any, *, by: Caller, changes: Mapping[str, Any]) -> None:
        """Change a project, or its place in the archive."""
        edit_project(row.pk, by=by, changes=self._named(changes))

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self._renamed.get(name, name): value for name, value in values.items()}

    @admin.action(description="Archive the selected projects")
    def archive(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """Make them read only."""
        for project in queryset:
            archive_project(project.pk, by=self.caller(request))

    @admin.action(description="Take the selected projects out of the archive")
    def unarchive(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """Let them be changed again."""
        for project in queryset:
            unarchive_project(project.pk, by=self.caller(request))
