"""Projects: their list, the issues of one, a new one, its settings."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from issues import markdown, policy
from issues.catalog import ProjectInfo, catalog
from issues.forms.project import LabelForm, MilestoneForm, NewProjectForm, ProjectForm, time_zones
from issues.models import Issue, Label, Milestone
from issues.scope import Scope, scope_of
from issues.services.projects import archive_project, create_project, edit_project, unarchive_project
from issues.views.callers import REFUSALS, caller_of, person, status_of, visible_project
from issues.views.listing import read_listing
from issues.views.moments import Moments
from issues.views.tints import tint_class
from issues.views.workflow import workflow_table
from tracker.events.numbering import head
from tracker.versions import versions_of
from tracker.web.errors import add_to_form


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """One line of the list of projects."""

    key: str
    name: str
    is_private: bool
    is_archived: bool
    open_count: int


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """The projects that the person may see, archived ones last."""
    user, scope = person(request), scope_of(person(request))
    context = {
        "nav": "projects",
        "projects": project_cards(user),
        "may_create": policy.can_create_project(scope),
    }
    return render(request, "projects/list.html", context)


def project_cards(user: Any) -> list[ProjectCard]:
    """Return the visible projects by name with the number of open issues that this person sees; one query."""
    known, scope = catalog(versions_of(user)), scope_of(user)
    visible = Issue.objects.visible_to(user).open().order_by()
    counts = dict(visible.values_list("project_id").annotate(count=Count("pk")))
    projects = [known.projects[key] for key in scope.project_ids if key in known.projects]
    projects.sort(key=lambda project: (project.archived_at is not None, project.name.casefold()))
    return [
        ProjectCard(
            project.key,
            project.name,
            project.is_private,
            project.archived_at is not None,
            counts.get(project.id, 0),
        )
        for project in projects
    ]


@login_required
@require_safe
def show(request: HttpRequest, key: str) -> HttpResponseBase:
    """The issues of a project."""
    project, scope = visible_project(request, key)
    live = head()
    listing = read_listing(request, project=project)
    context = {
        "live": live,
        **_frame(project, scope, tab="issues"),
        "description": markdown.render(project.description),
        "listing": listing,
        "may_file": scope.may("file_issue") and project.archived_at is None,
        "may_see_trash": policy.can_trash(scope),
    }
    return render(request, "projects/project.html", context, status=400 if listing.is_refused else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a project."""
    user, scope = person(request), scope_of(person(request))
    policy.require(allowed=policy.can_create_project(scope), message="You may not create projects.")
    form = NewProjectForm(request.POST if request.method == "POST" else None, user=user)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                project = create_project(by=caller_of(request), **form.values())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                messages.success(request, _("The project %(key)s is ready.") % {"key": project.key})
                return redirect(f"/projects/{project.key}/")
    context = {"nav": "projects", "form": form, "zones": time_zones()}
    return render(request, "projects/new.html", context, status=status)


# --- settings ----------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, key: str) -> HttpResponseBase:
    """What a project is and what hangs on it; whoever may only add labels sees only these."""
    project, scope = visible_project(request, key)
    user, manages = person(request), policy.can_manage_project(scope, project.id)
    if request.method == "POST" or not sees_settings(scope, project):
        policy.require(allowed=manages, message="You may not change this project.")
    form = ProjectForm(request.POST if request.method == "POST" else None, user=user, project=project)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                edit_project(project.id, by=caller_of(request), changes=form.values())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                messages.success(request, _("Saved."))
                return redirect(f"/projects/{project.key}/settings/")
    return render(
        request, "projects/settings.html", settings_context(request, project, scope, form=form), status=status
    )


def sees_settings(scope: Scope, project: ProjectInfo) -> bool:
    """Whether something on the settings page is for this person."""
    return policy.can_manage_project(scope, project.id) or policy.can_create_label(scope, project.id)


def settings_context(
    request: HttpRequest,
    project: ProjectInfo,
    scope: Scope,
    *,
    form: ProjectForm | None = None,
    label_form: LabelForm | None = None,
    milestone_form: MilestoneForm | None = None,
) -> dict[str, Any]:
    """Return what the settings page shows, with a form that was refused in place of the empty one."""
    user, is_active = person(request), project.archived_at is None
    manages = policy.can_manage_project(scope, project.id)
    return {
        **_frame(project, scope, tab="settings"),
        "manages": manages,
        "is_active": is_active,
        "form": form or ProjectForm(user=user, project=project),
        "zones": time_zones(),
        "labels": _labels(project),
        "label_form": label_form or LabelForm(auto_id="label_%s"),
        "may_add_label": is_active and policy.can_create_label(scope, project.id),
        "may_manage_labels": is_active and policy.can_manage_labels(scope, project.id),
        "milestones": _milestones(project, user) if manages else [],
        "milestone_form": milestone_form or MilestoneForm(auto_id="milestone_%s"),
        "workflow": workflow_table(project, user=user) if manages else [],
    }


@login_required
@require_POST
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Make a project read only."""
    project, _scope = visible_project(request, key)
    archive_project(project.id, by=caller_of(request))
    messages.success(request, _("%(key)s is archived and can only be read.") % {"key": project.key})
    return redirect(f"/projects/{project.key}/settings/")


@login_required
@require_POST
def unarchive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Let a project be written again."""
    project, _scope = visible_project(request, key)
    unarchive_project(project.id, by=caller_of(request))
    messages.success(request, _("%(key)s can be changed again.") % {"key": project.key})
    return redirect(f"/projects/{project.key}/settings/")


def _frame(project: ProjectInfo, scope: Scope, *, tab: str) -> dict[str, Any]:
    return {"nav": "projects", "tab": tab, "project": project, "sees_settings": sees_settings(scope, project)}


def _labels(project: ProjectInfo) -> list[dict[str, Any]]:
    rows = (
        Label.objects.filter(project=project.id).order_by("name").values("id", "name", "color", "description")
    )
    return [{**row, "tint": tint_class(row["color"])} for row in rows]


def _milestones(project: ProjectInfo, user: Any) -> list[dict[str, Any]]:
    moments = Moments(user)
    found = Milestone.objects.filter(project=project.id).order_by("state", "due_date", "name")
    return [
        {
            "id": each.pk,
            "name": each.name,
            "due": moments.day(each.due_date),
            "state": each.get_state_display(),
        }
        for each in found
    ]
