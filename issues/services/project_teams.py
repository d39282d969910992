"""Which projects a team belongs to: the team's side of what `projects.edit_project` does.

Teams know nothing of projects, so what touches both is here.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from accounts.models import Team
from accounts.services import teams
from issues import policy
from issues.catalog import ProjectInfo, catalog
from issues.models import Issue, ProjectTeam
from issues.scope import Scope, scope_of
from issues.services.detaching import detach
from issues.services.projects import edit_project, take_team_off
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotAllowed
from tracker.versions import versions_of


@transaction.atomic
def create_team(*, by: Caller, name: str, description: str = "", projects: Collection[str] = ()) -> Team:
    """Make a team and give it projects, by their keys.

    Raises as `teams.create_team` and `set_team_projects`.
    """
    team = teams.create_team(by=by, name=name, description=description)
    set_team_projects(team.pk, by=by, keys=projects)
    return team


@transaction.atomic
def edit_team(team_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> Team:
    """Change `name`, `description` and `projects`, which are keys.

    Raises as `teams.edit_team` and `set_team_projects`.
    """
    own = {field: value for field, value in changes.items() if field != "projects"}
    team = teams.edit_team(team_id, by=by, changes=own)
    if "projects" in changes:
        set_team_projects(team_id, by=by, keys=changes["projects"])
    return team


@transaction.atomic
def set_team_projects(team_id: uuid.UUID, *, by: Caller, keys: Collection[str]) -> None:
    """Let a team belong to exactly these projects, as far as the caller sees them; others keep it.

    Locks the team, then each project that changes, in the order of their ids. Raises `NotFound`,
    `NotAllowed`, `Invalid` where a key names nothing, `Conflict` where a project is archived.
    """
    teams.lock_team(team_id, by=by)
    scope = scope_of(by.user)
    wanted = {project.id for project in _named(keys, by=by, scope=scope)}
    held = {project.id for project in projects_of_team(team_id, by.user)}
    changing = sorted(wanted ^ held)
    if not all(policy.can_manage_project(scope, project_id) for project_id in changing):
        raise NotAllowed(fields={"projects": ["You may add and remove only projects that you manage."]})
    for project_id in changing:
        _set_team(project_id, team_id, by=by, belongs=project_id in wanted)


@transaction.atomic
def delete_team(team_id: uuid.UUID, *, by: Caller) -> None:
    """Take a team off its issues and projects, each with an event, and delete it.

    Archived projects and those that are hidden from the caller too: the log tells of all. Locks the issues,
    the team and its projects, each in the order of their ids. Raises `NotFound`, `NotAllowed`, and `Conflict`
    where the caller would lose sight of a project, or an issue got the team at the same time.
    """
    teams.find_managed_team(team_id, by=by)
    issues = list(Issue.objects.select_for_update(of=("self",)).filter(team_id=team_id).order_by("pk"))
    team = teams.lock_team(team_id, by=by)
    late = Issue.objects.filter(team_id=team_id).exclude(pk__in=[issue.pk for issue in issues])
    if late.exists():
        raise Conflict("Somebody just gave an issue to the team; try again.")
    detach(issues, "team", by=by)
    held = ProjectTeam.objects.filter(team=team).order_by("project_id")
    for project_id in list(held.values_list("project_id", flat=True)):
        take_team_off(project_id, team, by=by)
    teams.delete_team(team_id, by=by)


def projects_of_team(team_id: uuid.UUID, user: Any) -> list[ProjectInfo]:
    """Return the projects of a team that a person sees, by their keys."""
    scope = scope_of(user)
    projects = catalog(versions_of(user)).projects.values()
    found = [
        project for project in projects if team_id in project.team_ids and scope.sees_project(project.id)
    ]
    return sorted(found, key=lambda project: project.key)


def _named(keys: Collection[str], *, by: Caller, scope: Scope) -> list[ProjectInfo]:
    known = catalog(versions_of(by.user))
    found = {key: known.project_by_key(key) for key in keys}
    missing = sorted(
        key for key, project in found.items() if project is None or not scope.sees_project(project.id)
    )
    if missing:
        raise Invalid(fields={"projects": [f"There is no project {key}." for key in missing]})
    return [project for project in found.values() if project is not None]


def _set_team(project_id: uuid.UUID, team_id: uuid.UUID, *, by: Caller, belongs: bool) -> None:
    others = Team.objects.filter(project_teams__project=project_id).exclude(pk=team_id)
    wanted = [*others, Team.objects.get(pk=team_id)] if belongs else [*others]
    edit_project(project_id, by=by, changes={"teams": wanted})
