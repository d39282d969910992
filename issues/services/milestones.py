"""Milestones of a project. Deleting one takes it off its issues, each with an event of its own."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from issues.models import Milestone, MilestoneState, Project
from issues.scope import scope_of
from issues.services.dates import clean_date
from issues.services.detaching import detach, lock_issues, require_locked
from issues.services.projects import lock_project, require_active, require_managing
from issues.services.texts import clean_line, clean_text
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotFound
from tracker.events.record import record
from tracker.versions import CATALOG, bump


@transaction.atomic
def create_milestone(
    project_id: uuid.UUID,
    *,
    by: Caller,
    name: str,
    description: str = "",
    due_date: date | str | None = None,
    state: str = MilestoneState.OPEN,
) -> Milestone:
    """Add a milestone to a project. Locks the project.

    Raises `NotFound`, `NotAllowed`, `Invalid`, and `Conflict`: the name is taken, or the project archived.
    """
    project = lock_project(project_id, by=by)
    require_managing(project, by=by)
    values = _cleaned({"name": name, "description": description, "due_date": due_date, "state": state})
    require_active(project)
    milestone = Milestone(project=project, **values)
    _save(milestone, force_insert=True)
    changes = {field: [None, _told(value)] for field, value in values.items()}
    _announce(milestone, by=by, verb="milestone.created", changes=changes)
    return milestone


@transaction.atomic
def edit_milestone(
    project_id: uuid.UUID, milestone_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]
) -> Milestone:
    """Change `name`, `description`, `due_date` or `state`. Locks the project.

    Raises as `create_milestone`.
    """
    project = lock_project(project_id, by=by)
    milestone = _find(project, milestone_id)
    require_managing(project, by=by)
    values = {name: value for name, value in _cleaned(changes).items() if getattr(milestone, name) != value}
    if not values:
        return milestone
    require_active(project)
    told = {name: [_told(getattr(milestone, name)), _told(value)] for name, value in values.items()}
    for name, value in values.items():
        setattr(milestone, name, value)
    _save(milestone, update_fields=sorted(values))
    _announce(milestone, by=by, verb="milestone.updated", changes=told)
    return milestone


@transaction.atomic
def delete_milestone(project_id: uuid.UUID, milestone_id: uuid.UUID, *, by: Caller) -> None:
    """Take a milestone off its issues and delete it. Locks those issues, then the project.

    Raises as `create_milestone`.
    """
    if not scope_of(by.user).sees_project(project_id):
        raise NotFound
    issues = lock_issues(project_id, Q(milestone_id=milestone_id))
    project = lock_project(project_id, by=by)
    require_locked(project_id, Q(milestone_id=milestone_id), locked=issues)
    milestone = _find(project, milestone_id)
    require_managing(project, by=by)
    require_active(project)
    detach(issues, "milestone", by=by)
    Milestone.objects.filter(pk=milestone.pk).delete()
    _announce(milestone, by=by, verb="milestone.deleted", changes={"name": [milestone.name, None]})


def _find(project: Project, milestone_id: uuid.UUID) -> Milestone:
    milestone = Milestone.objects.filter(project=project, pk=milestone_id).first()
    if milestone is None:
        raise NotFound
    return milestone


def _clean_state(value: object) -> str:
    if value not in MilestoneState.values:
        raise Invalid(fields={"state": [f"One of {', '.join(MilestoneState.values)}."]})
    return str(value)


_CLEAN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": lambda value: clean_line(value, field="name"),
    "description": lambda value: clean_text(value, field="description"),
    "due_date": lambda value: clean_date(value, field="due_date"),
    "state": _clean_state,
}


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(_CLEAN)
    if unknown:
        raise Invalid(fields={name: ["There is no such field."] for name in sorted(unknown)})
    return {name: _CLEAN[name](value) for name, value in values.items()}


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _save(milestone: Milestone, **how: Any) -> None:
    named = Milestone.objects.filter(project_id=milestone.project_id, name__iexact=milestone.name)
    taken = Conflict(
        f"There is already a milestone {milestone.name}.", details={"fields": {"name": ["Taken."]}}
    )
    if named.exclude(pk=milestone.pk).exists():
        raise taken
    try:
        with transaction.atomic():
            milestone.save(**how)
    except IntegrityError:
        raise taken from None


def _announce(milestone: Milestone, *, by: Caller, verb: str, changes: dict[str, list[Any]]) -> None:
    bump(CATALOG, by=by)
    record(by=by, verb=verb, project_id=milestone.project_id, subject_id=milestone.pk, changes=changes)
