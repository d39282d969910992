"""The pages of teams: which one sees, who is in them, which projects they have."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import policy
from accounts.models import Team, TeamMembership
from accounts.rights import rights_of
from accounts.services import teams as services
from issues.forms.team import MemberForm, TeamForm
from issues.services import project_teams
from issues.views.callers import REFUSALS, caller_of, person, status_of
from tracker.errors import DomainError
from tracker.web.errors import add_to_form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponseBase:
    """One's own teams, all of them for who manages teams; and a form for a new one."""
    user = person(request)
    may_create = policy.can_create_team(user)
    if request.method == "POST":
        policy.require(allowed=may_create, message="You may not create teams.")
    form, status = TeamForm(request.POST if request.method == "POST" else None, user=user), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                team = project_teams.create_team(by=caller_of(request), **form.values())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(_path(team.pk))
    rights = rights_of(user)
    found = Team.objects.order_by("name")
    if not rights.may("accounts.manage_teams"):
        found = found.filter(pk__in=rights.team_ids)
    context = {"nav": "teams", "teams": list(found), "may_create": may_create, "form": form}
    return render(request, "teams/list.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, team_id: uuid.UUID) -> HttpResponseBase:
    """A team with its members; who may change it gets the forms."""
    team = services.find_team(team_id, by=caller_of(request))
    if request.method != "POST":
        return _render(request, team)
    services.find_managed_team(team_id, by=caller_of(request))
    form, status = TeamForm(request.POST, user=person(request), initial=_initial(team, request)), 400
    if form.is_valid():
        try:
            project_teams.edit_team(team.pk, by=caller_of(request), changes=form.values())
        except REFUSALS as error:
            add_to_form(form, error)
            status = status_of(error)
        else:
            messages.success(request, _("Saved."))
            return redirect(_path(team.pk))
    return _render(request, team, form=form, status=status)


@login_required
@require_POST
def add_member(request: HttpRequest, team_id: uuid.UUID) -> HttpResponseBase:
    """Put a person into a team; who is in it gets the role."""
    team = services.find_managed_team(team_id, by=caller_of(request))
    form = MemberForm(request.POST, user=person(request))
    if not form.is_valid():
        return _render(request, team, member_form=form, status=400)
    services.add_member(
        team.pk,
        by=caller_of(request),
        user_id=uuid.UUID(form.cleaned_data["user"]),
        role=form.cleaned_data["role"],
    )
    return redirect(f"{_path(team.pk)}#members")


@login_required
@require_POST
def remove_member(request: HttpRequest, team_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponseBase:
    """Take a person out of a team; who takes themselves out may not see it any more."""
    services.remove_member(team_id, by=caller_of(request), user_id=user_id)
    return redirect("/teams/" if user_id == person(request).pk else f"{_path(team_id)}#members")


@login_required
@require_POST
def delete(request: HttpRequest, team_id: uuid.UUID) -> HttpResponseBase:
    """Delete a team; its people, issues and projects stay."""
    team = services.find_managed_team(team_id, by=caller_of(request))
    try:
        project_teams.delete_team(team.pk, by=caller_of(request))
    except REFUSALS as error:
        return _render(request, team, error=error, status=status_of(error))
    messages.success(request, _("The team %(name)s is deleted.") % {"name": team.name})
    return redirect("/teams/")


def _path(team_id: uuid.UUID) -> str:
    return f"/teams/{team_id}/"


def _initial(team: Team, request: HttpRequest) -> dict[str, Any]:
    projects = project_teams.projects_of_team(team.pk, person(request))
    return {
        "name": team.name,
        "description": team.description,
        "projects": [project.key for project in projects],
    }


def _render(
    request: HttpRequest,
    team: Team,
    *,
    form: TeamForm | None = None,
    member_form: MemberForm | None = None,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    user = person(request)
    members = TeamMembership.objects.filter(team=team).select_related("user").order_by("user__name", "pk")
    context = {
        "nav": "teams",
        "team": team,
        "projects": project_teams.projects_of_team(team.pk, user),
        "members": [
            {"id": each.user_id, "name": each.user.name, "role": each.get_role_display()} for each in members
        ],
        "manages": policy.can_manage_team(user, team),
        "form": form or TeamForm(user=user, initial=_initial(team, request)),
        "member_form": member_form or MemberForm(user=user),
        "error": error.message if error else "",
    }
    return render(request, "teams/team.html", context, status=status)
