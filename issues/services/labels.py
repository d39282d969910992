"""Labels of a project. A name is one whatever its case.

Deleting a label takes it off its issues, each with an event of its own.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from issues import policy
from issues.models import Label, Project
from issues.scope import scope_of
from issues.services.colors import DEFAULT_COLOR, clean_color
from issues.services.detaching import detach_label, lock_issues
from issues.services.projects import lock_project, require_active
from issues.services.texts import clean_line
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotFound
from tracker.events.record import record
from tracker.versions import CATALOG, bump

MAX_DESCRIPTION: Final = 255


@transaction.atomic
def create_label(
    project_id: uuid.UUID, *, by: Caller, name: str, color: str = DEFAULT_COLOR, description: str = ""
) -> Label:
    """Add a label to a project. Locks the project.

    Raises `NotFound`, `NotAllowed`, `Invalid`, and `Conflict`: the name is taken, or the project archived.
    """
    project = lock_project(project_id, by=by)
    allowed = policy.can_create_label(scope_of(by.user), project.pk)
    policy.require(allowed=allowed, message="You may not create labels.")
    values = _cleaned({"name": name, "color": color, "description": description})
    require_active(project)
    label = Label(project=project, **values)
    _save(label, force_insert=True)
    _announce(label, by=by, verb="label.created", changes={field: [None, values[field]] for field in values})
    return label


@transaction.atomic
def edit_label(
    project_id: uuid.UUID, label_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]
) -> Label:
    """Change `name`, `color` or `description` of a label. Locks the project. Raises as `create_label`."""
    project = lock_project(project_id, by=by)
    label = _find(project, label_id)
    _require_managing(project, by=by)
    values = _cleaned(changes)
    changed = {
        name: [getattr(label, name), value] for name, value in values.items() if getattr(label, name) != value
    }
    if not changed:
        return label
    require_active(project)
    for name, (_, value) in changed.items():
        setattr(label, name, value)
    _save(label, update_fields=sorted(changed))
    _announce(label, by=by, verb="label.updated", changes=changed)
    return label


@transaction.atomic
def delete_label(project_id: uuid.UUID, label_id: uuid.UUID, *, by: Caller) -> None:
    """Take a label off its issues and delete it. Locks those issues, then the project.

    Raises as `create_label`, and `Conflict` where an issue got the label in between.
    """
    if not scope_of(by.user).sees_project(project_id):
        raise NotFound
    issues = lock_issues(project_id, Q(issue_labels__label_id=label_id))
    project = lock_project(project_id, by=by)
    label = _find(project, label_id)
    _require_managing(project, by=by)
    require_active(project)
    detach_label(issues, label, by=by)
    Label.objects.filter(pk=label.pk).delete()
    _announce(label, by=by, verb="label.deleted", changes={"name": [label.name, None]})


def _find(project: Project, label_id: uuid.UUID) -> Label:
    label = Label.objects.filter(project=project, pk=label_id).first()
    if label is None:
        raise NotFound
    return label


def _require_managing(project: Project, *, by: Caller) -> None:
    allowed = policy.can_manage_labels(scope_of(by.user), project.pk)
    policy.require(allowed=allowed, message="You may not change labels.")


_CLEAN: Final[Mapping[str, Callable[[Any], str]]] = {
    "name": lambda value: clean_line(value, field="name"),
    "color": clean_color,
    "description": lambda value: clean_line(
        value, field="description", limit=MAX_DESCRIPTION, required=False
    ),
}


def _cleaned(values: Mapping[str, Any]) -> dict[str, str]:
    unknown = set(values) - set(_CLEAN)
    if unknown:
        raise Invalid(fields={name: ["There is no such field."] for name in sorted(unknown)})
    return {name: _CLEAN[name](value) for name, value in values.items()}


def _save(label: Label, **how: Any) -> None:
    named = Label.objects.filter(project_id=label.project_id, name__iexact=label.name)
    taken = Conflict(f"There is already a label {label.name}.", details={"fields": {"name": ["Taken."]}})
    if named.exclude(pk=label.pk).exists():
        raise taken
    try:
        with transaction.atomic():
            label.save(**how)
    except IntegrityError:
        raise taken from None


def _announce(label: Label, *, by: Caller, verb: str, changes: dict[str, list[Any]]) -> None:
    bump(CATALOG, by=by)
    record(by=by, verb=verb, project_id=label.project_id, subject_id=label.pk, changes=changes)
