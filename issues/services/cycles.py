"""Cycles of a project: time-boxed, numbered in it. Deleting one takes it off its issues, with events."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, Q

from issues.models import Cycle, CycleState, Project
from issues.scope import scope_of
from issues.services.dates import require_date
from issues.services.detaching import detach, lock_issues, require_locked
from issues.services.projects import lock_project, require_active, require_managing
from issues.services.texts import clean_line
from tracker.caller import Caller
from tracker.errors import Invalid, NotFound
from tracker.events.record import record
from tracker.versions import CATALOG, bump


@transaction.atomic
def create_cycle(
    project_id: uuid.UUID,
    *,
    by: Caller,
    name: str,
    starts_on: date | str,
    ends_on: date | str,
    state: str = CycleState.PLANNED,
) -> Cycle:
    """Add the project's next cycle. Locks the project.

    Raises `NotFound`, `NotAllowed`, `Invalid`, and `Conflict` where the project is archived.
    """
    project = lock_project(project_id, by=by)
    require_managing(project, by=by)
    values = _cleaned({"name": name, "starts_on": starts_on, "ends_on": ends_on, "state": state})
    require_active(project)
    last = Cycle.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    cycle = Cycle(project=project, number=last + 1, **values)
    _require_forwards(cycle)
    cycle.save(force_insert=True)
    _announce(
        cycle, by=by, verb="cycle.created", changes={name: [None, _told(values[name])] for name in values}
    )
    return cycle


@transaction.atomic
def edit_cycle(
    project_id: uuid.UUID, cycle_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]
) -> Cycle:
    """Change `name`, `starts_on`, `ends_on` or `state`. Locks the project. Raises as `create_cycle`."""
    project = lock_project(project_id, by=by)
    cycle = _find(project, cycle_id)
    require_managing(project, by=by)
    values = {name: value for name, value in _cleaned(changes).items() if getattr(cycle, name) != value}
    if not values:
        return cycle
    require_active(project)
    told = {name: [_told(getattr(cycle, name)), _told(value)] for name, value in values.items()}
    for name, value in values.items():
        setattr(cycle, name, value)
    _require_forwards(cycle)
    cycle.save(update_fields=sorted(values))
    _announce(cycle, by=by, verb="cycle.updated", changes=told)
    return cycle


@transaction.atomic
def delete_cycle(project_id: uuid.UUID, cycle_id: uuid.UUID, *, by: Caller) -> None:
    """Take a cycle off its issues and delete it. Locks those issues, then the project.

    Raises as `create_cycle`.
    """
    if not scope_of(by.user).sees_project(project_id):
        raise NotFound
    issues = lock_issues(project_id, Q(cycle_id=cycle_id))
    project = lock_project(project_id, by=by)
    require_locked(project_id, Q(cycle_id=cycle_id), locked=issues)
    cycle = _find(project, cycle_id)
    require_managing(project, by=by)
    require_active(project)
    detach(issues, "cycle", by=by)
    Cycle.objects.filter(pk=cycle.pk).delete()
    _announce(cycle, by=by, verb="cycle.deleted", changes={"name": [cycle.name, None]})


def _find(project: Project, cycle_id: uuid.UUID) -> Cycle:
    cycle = Cycle.objects.filter(project=project, pk=cycle_id).first()
    if cycle is None:
        raise NotFound
    return cycle


def _require_forwards(cycle: Cycle) -> None:
    if cycle.ends_on < cycle.starts_on:
        raise Invalid(fields={"ends_on": ["May not be before the cycle starts."]})


def _clean_state(value: object) -> str:
    if value not in CycleState.values:
        raise Invalid(fields={"state": [f"One of {', '.join(CycleState.values)}."]})
    return str(value)


_CLEAN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": lambda value: clean_line(value, field="name"),
    "starts_on": lambda value: require_date(value, field="starts_on"),
    "ends_on": lambda value: require_date(value, field="ends_on"),
    "state": _clean_state,
}


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(_CLEAN)
    if unknown:
        raise Invalid(fields={name: ["There is no such field."] for name in sorted(unknown)})
    return {name: _CLEAN[name](value) for name, value in values.items()}


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _announce(cycle: Cycle, *, by: Caller, verb: str, changes: dict[str, list[Any]]) -> None:
    bump(CATALOG, by=by)
    record(by=by, verb=verb, project_id=cycle.project_id, subject_id=cycle.pk, changes=changes)
