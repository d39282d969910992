"""Milestones of a project, under its settings."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from issues import policy
from issues.forms.project import MilestoneForm
from issues.models import Milestone
from issues.services.milestones import create_milestone, delete_milestone, edit_milestone
from issues.views.callers import REFUSALS, caller_of, status_of, visible_project
from issues.views.projects import settings_context
from tracker.errors import NotFound
from tracker.web.errors import add_to_form


@login_required
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponseBase:
    """Add a milestone."""
    project, scope = visible_project(request, key)
    policy.require(
        allowed=policy.can_manage_project(scope, project.id), message="You may not create milestones."
    )
    form, status = MilestoneForm(request.POST, auto_id="milestone_%s"), 400
    if form.is_valid():
        try:
            create_milestone(project.id, by=caller_of(request), **form.values())
        except REFUSALS as error:
            add_to_form(form, error)
            status = status_of(error)
        else:
            return redirect(f"/projects/{project.key}/settings/#milestones")
    context = settings_context(request, project, scope, milestone_form=form)
    return render(request, "projects/settings.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str, milestone_id: uuid.UUID) -> HttpResponseBase:
    """Change a milestone."""
    project, scope = visible_project(request, key)
    milestone = Milestone.objects.filter(project=project.id, pk=milestone_id).first()
    if milestone is None:
        raise NotFound
    policy.require(
        allowed=policy.can_manage_project(scope, project.id), message="You may not change milestones."
    )
    initial = {
        "name": milestone.name,
        "due_date": milestone.due_date.isoformat() if milestone.due_date else "",
        "state": milestone.state,
        "description": milestone.description,
    }
    form, status = MilestoneForm(request.POST if request.method == "POST" else None, initial=initial), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                edit_milestone(project.id, milestone.pk, by=caller_of(request), changes=form.values())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(f"/projects/{project.key}/settings/#milestones")
    context = {"nav": "projects", "project": project, "form": form, "what": milestone, "kind": "milestone"}
    return render(request, "projects/edit_part.html", context, status=status)


@login_required
@require_POST
def delete(request: HttpRequest, key: str, milestone_id: uuid.UUID) -> HttpResponseBase:
    """Take a milestone off its issues and delete it."""
    project, _scope = visible_project(request, key)
    delete_milestone(project.id, milestone_id, by=caller_of(request))
    messages.success(request, _("The milestone is deleted and taken off its issues."))
    return redirect(f"/projects/{project.key}/settings/#milestones")
