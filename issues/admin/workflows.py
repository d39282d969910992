"""The admin page of a project's workflow: its statuses and steps as rows, saved as a whole."""

import uuid
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.models import Role
from issues import policy
from issues.models import Category, Project
from issues.project_rows import workflow_row
from issues.scope import scope_of
from issues.services.workflow_input import REQUIRABLE
from issues.services.workflows import replace_workflow
from tracker.errors import DomainError

_BLANK_ROWS: Final = 3


class VersionForm(forms.Form):
    """Which version of the workflow was shown."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    first = forms.CharField(
        label="First status", max_length=50, help_text="The slug of the status in which issues begin."
    )


class StatusForm(forms.Form):
    """A status; the order of the rows by number is the order of the columns."""

    slug = forms.CharField(max_length=50)
    name = forms.CharField(max_length=100)
    category = forms.ChoiceField(choices=[("", "–"), *Category.choices])
    color = forms.CharField(max_length=7, widget=forms.TextInput(attrs={"type": "color"}), initial="#6b7280")
    move_to = forms.CharField(max_length=50, required=False)


class StepForm(forms.Form):
    """An allowed step."""

    source = forms.CharField(max_length=50)
    target = forms.CharField(max_length=50)
    roles = forms.MultipleChoiceField(choices=Role.choices, required=False)
    requires = forms.MultipleChoiceField(choices=[(name, name) for name in REQUIRABLE], required=False)


StatusFormSet = forms.formset_factory(StatusForm, extra=_BLANK_ROWS, can_delete=True, can_order=True)
StepFormSet = forms.formset_factory(StepForm, extra=_BLANK_ROWS, can_delete=True)


def workflow_view(page: Any, request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Show the workflow, or replace it by the service; what that refuses is a message above the rows."""
    user: Any = request.user
    project = Project.objects.visible_to(user).filter(pk=project_id).first()
    if project is None:
        raise Http404
    if not page.may(request) or not policy.can_manage_project(scope_of(user), project.pk):
        raise PermissionDenied
    row = workflow_row(project.pk, user=user)
    if request.method != "POST":
        return _shown(page, request, project, _filled(row))
    parts = (
        VersionForm(request.POST),
        StatusFormSet(request.POST, prefix="s"),
        StepFormSet(request.POST, prefix="t"),
    )
    if all(part.is_valid() for part in parts):
        try:
            replace_workflow(project.pk, by=page.caller(request), **_read(*parts))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, "The workflow was saved.")
            return HttpResponseRedirect(request.path)
    return _shown(page, request, project, parts)


def _filled(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    steps = [step | {"source": step["from"], "target": step["to"]} for step in row["transitions"]]
    return (
        VersionForm(initial={"version": row["version"], "first": row["initial"]}),
        StatusFormSet(initial=row["statuses"], prefix="s"),
        StepFormSet(initial=steps, prefix="t"),
    )


def _read(version: Any, statuses: Any, steps: Any) -> dict[str, Any]:
    """Return the workflow in the shape of the service."""
    rows = [form.cleaned_data for form in statuses.ordered_forms if form.cleaned_data]
    gone = [form.cleaned_data for form in statuses.deleted_forms if form.cleaned_data]
    kept = [
        form.cleaned_data for form in steps.forms if form.cleaned_data and form not in steps.deleted_forms
    ]
    return {
        "initial": version.cleaned_data["first"],
        "statuses": [{name: row[name] for name in ("slug", "name", "category", "color")} for row in rows],
        "transitions": [
            {
                "from": step["source"],
                "to": step["target"],
                "roles": step["roles"],
                "requires": step["requires"],
            }
            for step in kept
        ],
        "moves": {row["slug"]: row["move_to"] for row in gone if row.get("move_to")},
        "expected_version": version.cleaned_data["version"],
    }


def _shown(page: Any, request: HttpRequest, project: Project, parts: tuple[Any, Any, Any]) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": f"Workflow of {project.key}",
        "project": project,
        "version_form": parts[0],
        "statuses": parts[1],
        "steps": parts[2],
    }
    return TemplateResponse(request, "admin/issues/workflow.html", context)
