"""Projects: made with a copy of a preset's workflow, changed, archived.

A project is not deleted; an archived one is read only. What decides who sees a project (visibility, lead,
teams, "reporters see all") has an event of its own verb.
"""

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from accounts.models import Team, User
from accounts.rights import rights_of
from accounts.services.fields import time_zones
from issues import policy
from issues.models import Project, ProjectTeam, Status, Transition, Visibility
from issues.scope import scope_of
from issues.services.presets import DEFAULT_PRESET, PRESETS, Preset
from issues.services.texts import clean_line, clean_text
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.events.record import record
from tracker.versions import CATALOG, RIGHTS, bump

KEY_PATTERN: Final = r"^[A-Z][A-Z0-9]{1,19}$"
SIGHT_FIELDS: Final = frozenset({"visibility", "lead", "teams", "reporters_see_all"})
EDITABLE_FIELDS: Final = SIGHT_FIELDS | {"name", "description", "time_zone"}


@transaction.atomic
def create_project(
    *,
    by: Caller,
    key: str,
    name: str,
    description: str = "",
    visibility: str = Visibility.INTERNAL,
    preset: str = DEFAULT_PRESET,
    lead: User | None = None,
    teams: Iterable[Team] = (),
    reporters_see_all: bool = False,
    time_zone: str = "UTC",
) -> Project:
    """Make a project with its own copy of a preset's workflow.

    Who makes a private project that they would not see becomes its lead. Raises `NotAllowed`, `Invalid`,
    and `Conflict` where the key is taken.
    """
    scope = scope_of(by.user)
    policy.require(allowed=policy.can_create_project(scope), message="You may not create projects.")
    values: dict[str, Any] = {
        "name": name,
        "description": description,
        "visibility": visibility,
        "lead": lead,
        "teams": list(teams),
        "reporters_see_all": reporters_see_all,
        "time_zone": time_zone,
    }
    values = _cleaned(values)
    if preset not in PRESETS:
        raise Invalid(fields={"workflow_preset": [f"One of {', '.join(PRESETS)}."]})
    _require_teams(by, values["teams"], held=set())
    if values["lead"] is None and not _would_see(by, **_sight(values)):
        values["lead"] = by.user
    _require_sight(by, **_sight(values))
    wanted_teams = values.pop("teams")
    project = _insert(Project(key=_clean_key(key), workflow_preset=preset, created_at=by.now, **values))
    ProjectTeam.objects.bulk_create([ProjectTeam(project=project, team=team) for team in wanted_teams])
    copy_preset(project, PRESETS[preset])
    bump(CATALOG, RIGHTS, by=by)
    record(
        by=by, verb="project.created", project_id=project.pk, subject_id=project.pk, data=_described(project)
    )
    return project


@transaction.atomic
def edit_project(project_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> Project:
    """Change fields of a project; `lead` is a `User` or None, `teams` the whole collection of `Team`.

    `archived` takes it out of the archive before the other fields are changed, or puts it there after.
    Locks the project. Raises `NotFound`, `NotAllowed`, `Invalid`, and `Conflict` where it is archived.
    """
    if changes.get("archived") is False:
        unarchive_project(project_id, by=by)
    project = _edit(
        project_id, by=by, changes={name: changes[name] for name in changes if name != "archived"}
    )
    return archive_project(project_id, by=by) if changes.get("archived") is True else project


def _edit(project_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> Project:
    project = lock_project(project_id, by=by)
    require_managing(project, by=by)
    unknown = set(changes) - EDITABLE_FIELDS
    if unknown:
        raise Invalid(
            fields={name: ["This field of a project cannot be changed."] for name in sorted(unknown)}
        )
    before = _values(project)
    after = before | _cleaned(changes)
    changed = {name for name in after if _differs(before[name], after[name])}
    if not changed:
        return project
    require_active(project)
    if "lead" in changed:
        _require_active_lead(after["lead"])
    if "teams" in changed:
        _require_teams(by, after["teams"], held={team.pk for team in before["teams"]})
    if changed & SIGHT_FIELDS:
        _require_sight(by, **_sight(after))
    _store(project, after, changed)
    _record_edit(project, by=by, before=before, after=after, changed=changed)
    return project


@transaction.atomic
def take_team_off(project_id: uuid.UUID, team: Team, *, by: Caller) -> None:
    """Take a team that is about to be deleted off a project, be it archived or hidden from the caller.

    For `project_teams.delete_team`, which has checked that the team may be deleted. Locks the project. Raises
    `Conflict` where the caller would lose sight of it.
    """
    project: Project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    before = _values(project)
    after = before | {"teams": [each for each in before["teams"] if each.pk != team.pk]}
    if scope_of(by.user).sees_project(project_id) and not _would_see(by, **_sight(after)):
        raise Conflict(f"You would lose sight of {project.key}: lead it, or add another team of yours.")
    _store(project, after, {"teams"})
    _record_edit(project, by=by, before=before, after=after, changed={"teams"})


@transaction.atomic
def archive_project(project_id: uuid.UUID, *, by: Caller) -> Project:
    """Make a project read only, after the changes of its issues that are under way (`services.activity`).

    Does nothing to one that already is. Locks the project.
    """
    project = lock_project(project_id, by=by, alone=True)
    require_managing(project, by=by)
    if project.archived_at is None:
        project.archived_at = by.now
        _store_archived(project, by=by, verb="project.archived", archived=[False, True])
    return project


@transaction.atomic
def unarchive_project(project_id: uuid.UUID, *, by: Caller) -> Project:
    """Let an archived project be written again. Locks the project."""
    project = lock_project(project_id, by=by)
    require_managing(project, by=by)
    if project.archived_at is not None:
        project.archived_at = None
        _store_archived(project, by=by, verb="project.restored", archived=[True, False])
    return project


def lock_project(project_id: uuid.UUID, *, by: Caller, alone: bool = False) -> Project:
    """Lock and return a project that the caller sees, archived or not; `alone`: also against writers of its
    issues. Raises `NotFound`."""
    locked = Project.objects.visible_to(by.user).select_for_update(no_key=not alone)
    project: Project | None = locked.filter(pk=project_id).first()
    if project is None:
        raise NotFound
    return project


def require_managing(project: Project, *, by: Caller) -> None:
    """Refuse with `NotAllowed` unless the caller may change this project, which they see."""
    allowed = policy.can_manage_project(scope_of(by.user), project.pk)
    policy.require(allowed=allowed, message="You may not change projects.")


def require_active(project: Project) -> None:
    """Refuse with `Conflict` where the project is archived."""
    if project.is_archived:
        raise Conflict(f"Project {project.key} is archived and read only.")


def copy_preset(project: Project, preset: Preset) -> None:
    """Write a preset's statuses and transitions for a project that has none."""
    statuses = {
        each.slug: Status(
            project=project,
            slug=each.slug,
            name=each.name,
            category=each.category,
            color=each.color,
            position=position,
            is_initial=position == 0,
        )
        for position, each in enumerate(preset.statuses)
    }
    Status.objects.bulk_create(statuses.values())
    Transition.objects.bulk_create(
        Transition(project=project, from_status=statuses[source], to_status=statuses[target])
        for source, targets in preset.steps.items()
        for target in targets
    )


# --- rules -------------------------------------------------------------------------------------------
def _require_active_lead(lead: User | None) -> None:
    if lead is not None and not lead.is_active:
        raise Invalid(fields={"lead": ["This account is not active."]})


def _require_teams(by: Caller, teams: Collection[Team], *, held: set[uuid.UUID]) -> None:
    """Teams are added by who leads them, or by who manages all teams; those already there may stay."""
    rights = rights_of(by.user)
    added = {team.pk for team in teams} - held
    if not rights.may("accounts.manage_teams") and not added <= rights.led_team_ids:
        raise NotAllowed(fields={"teams": ["You may add only teams that you lead."]})


def _would_see(by: Caller, *, visibility: str, lead: User | None, teams: Collection[Team]) -> bool:
    rights = rights_of(by.user)
    if visibility != Visibility.PRIVATE or rights.may("issues.see_private_projects"):
        return True
    return (lead is not None and lead.pk == rights.user_id) or any(
        team.pk in rights.team_ids for team in teams
    )


def _require_sight(by: Caller, *, visibility: str, lead: User | None, teams: Collection[Team]) -> None:
    if not _would_see(by, visibility=visibility, lead=lead, teams=teams):
        raise Invalid(
            fields={"visibility": ["You would lose sight of the project: lead it, or add a team of yours."]}
        )


def _sight(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("visibility", "lead", "teams")}


# --- values ------------------------------------------------------------------------------------------
def _clean_key(key: object) -> str:
    if not isinstance(key, str) or not re.fullmatch(KEY_PATTERN, key, re.ASCII):
        raise Invalid(fields={"key": ["2 to 20 of A-Z and 0-9, a letter first."]})
    return key


def _clean_visibility(value: object) -> str:
    if value not in Visibility.values:
        raise Invalid(fields={"visibility": [f"One of {', '.join(Visibility.values)}."]})
    return str(value)


def _clean_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(fields={"reporters_see_all": ["Must be true or false."]})
    return value


def _clean_time_zone(value: object) -> str:
    if not isinstance(value, str) or value not in time_zones():
        raise Invalid(fields={"time_zone": ["Must be the name of a time zone, such as Europe/Berlin."]})
    return value


def _clean_lead(value: User | None) -> User | None:
    return value


def _clean_teams(value: Iterable[Team]) -> list[Team]:
    return sorted({team.pk: team for team in value}.values(), key=lambda team: team.pk)


_CLEAN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": lambda value: clean_line(value, field="name"),
    "description": lambda value: clean_text(value, field="description"),
    "visibility": _clean_visibility,
    "lead": _clean_lead,
    "teams": _clean_teams,
    "reporters_see_all": _clean_flag,
    "time_zone": _clean_time_zone,
}


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _CLEAN[name](value) for name, value in values.items()}


def _values(project: Project) -> dict[str, Any]:
    values = {name: getattr(project, name) for name in EDITABLE_FIELDS - {"teams"}}
    return values | {"teams": _clean_teams(Team.objects.filter(project_teams__project=project))}


def _differs(before: Any, after: Any) -> bool:
    return bool(before != after)


# --- writing -----------------------------------------------------------------------------------------
def _insert(project: Project) -> Project:
    _require_active_lead(project.lead)
    try:
        with transaction.atomic():
            project.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"The key {project.key} is taken.", details={"fields": {"key": ["Taken."]}}) from None
    return project


def _store(project: Project, values: Mapping[str, Any], changed: set[str]) -> None:
    for name in changed - {"teams"}:
        setattr(project, name, values[name])
    if changed - {"teams"}:
        project.save(update_fields=sorted(changed - {"teams"}))
    if "teams" in changed:
        wanted = {team.pk for team in values["teams"]}
        held = set(ProjectTeam.objects.filter(project=project).values_list("team_id", flat=True))
        ProjectTeam.objects.filter(project=project, team__in=held - wanted).delete()
        ProjectTeam.objects.bulk_create(
            ProjectTeam(project=project, team_id=team_id) for team_id in sorted(wanted - held)
        )


def _store_archived(project: Project, *, by: Caller, verb: str, archived: list[bool]) -> None:
    project.save(update_fields=["archived_at"])
    bump(CATALOG, by=by)
    record(by=by, verb=verb, project_id=project.pk, subject_id=project.pk, changes={"archived": archived})


def _record_edit(
    project: Project, *, by: Caller, before: Mapping[str, Any], after: Mapping[str, Any], changed: set[str]
) -> None:
    bump(*([CATALOG, RIGHTS] if changed & SIGHT_FIELDS else [CATALOG]), by=by)
    for verb, fields in (
        ("project.updated", changed - SIGHT_FIELDS),
        ("project.visibility_changed", changed & SIGHT_FIELDS),
    ):
        if fields:
            changes = {name: [_told(before[name]), _told(after[name])] for name in sorted(fields)}
            record(by=by, verb=verb, project_id=project.pk, subject_id=project.pk, changes=changes)


def _told(value: Any) -> Any:
    """Return a value as the event log keeps it."""
    if isinstance(value, User):
        return {"id": str(value.pk), "name": value.name}
    if isinstance(value, list):
        return [{"id": str(team.pk), "name": team.name} for team in value]
    return value


def _described(project: Project) -> dict[str, Any]:
    return {"key": project.key, "name": project.name, "visibility": str(project.visibility)}
