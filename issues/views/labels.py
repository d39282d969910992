"""Labels of a project, under its settings."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from issues import policy
from issues.forms.project import LabelForm
from issues.models import Label
from issues.services.labels import create_label, delete_label, edit_label
from issues.views.callers import REFUSALS, caller_of, status_of, visible_project
from issues.views.projects import settings_context
from tracker.errors import NotFound
from tracker.web.errors import add_to_form


@login_required
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponseBase:
    """Add a label."""
    project, scope = visible_project(request, key)
    policy.require(allowed=policy.can_create_label(scope, project.id), message="You may not create labels.")
    form, status = LabelForm(request.POST, auto_id="label_%s"), 400
    if form.is_valid():
        try:
            create_label(project.id, by=caller_of(request), **form.values())
        except REFUSALS as error:
            add_to_form(form, error)
            status = status_of(error)
        else:
            return redirect(f"/projects/{project.key}/settings/#labels")
    context = settings_context(request, project, scope, label_form=form)
    return render(request, "projects/settings.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str, label_id: uuid.UUID) -> HttpResponseBase:
    """Change a label."""
    project, scope = visible_project(request, key)
    label = Label.objects.filter(project=project.id, pk=label_id).first()
    if label is None:
        raise NotFound
    policy.require(allowed=policy.can_manage_labels(scope, project.id), message="You may not change labels.")
    initial = {"name": label.name, "color": label.color, "description": label.description}
    form, status = LabelForm(request.POST if request.method == "POST" else None, initial=initial), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                edit_label(project.id, label.pk, by=caller_of(request), changes=form.values())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(f"/projects/{project.key}/settings/#labels")
    context = {"nav": "projects", "project": project, "form": form, "what": label, "kind": "label"}
    return render(request, "projects/edit_part.html", context, status=status)


@login_required
@require_POST
def delete(request: HttpRequest, key: str, label_id: uuid.UUID) -> HttpResponseBase:
    """Take a label off its issues and delete it."""
    project, _scope = visible_project(request, key)
    delete_label(project.id, label_id, by=caller_of(request))
    messages.success(request, _("The label is deleted and taken off its issues."))
    return redirect(f"/projects/{project.key}/settings/#labels")
