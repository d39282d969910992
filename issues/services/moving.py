"""Moving an issue to another project: a new number there, and what the target lacks is taken off.

`issues.services.issues.edit_issue` comes here with a locked issue when a change names another project.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from accounts.models import User
from issues import policy
from issues.catalog import Catalog, ProjectInfo, StatusInfo, catalog
from issues.models import Issue, IssueAlias
from issues.scope import scope_of
from issues.services.fields import FIELDS, Setting, setting, stored, unpack
from issues.services.hierarchy import check_parent
from tracker.errors import Invalid, NotAllowed
from tracker.versions import forget_versions, remember, versions_of

Values = Mapping[str, Any]
Read = Callable[[Values, Setting, Values], dict[str, Any]]

OF_PROJECT: Final = ("status", "labels", "milestone", "cycle", "team", "assignee")
"""The fields whose values belong to the project, or to who sees it."""


def move_target(sent: object, at: Setting) -> ProjectInfo | None:
    """Return the other project that a change names; None for the one where the issue is.

    Raises `NotAllowed`, and `Invalid` where there is no such project for the caller.
    """
    named = unpack(sent, "key", "id")
    text = named.upper() if isinstance(named, str) else ""
    if text in {at.project.key, str(at.project.id).upper()}:
        return None
    if not policy.can_move(at.scope):
        raise NotAllowed(fields={"project": ["You may not set this field."]})
    target = at.catalog.project_by_key(text)
    if target is None or not at.scope.sees_project(target.id):
        raise Invalid(fields={"project": ["There is no such project."]})
    return target


def values_there(
    issue: Issue, at: Setting, *, target: ProjectInfo, changes: Values, read: Read
) -> tuple[dict[str, Any], dict[str, Any], Setting]:
    """Return (values before, values after, the setting there) of a move; only what differs.

    What was sent is read in the target. A value that was sent as the issue has it, and that the target does
    not know, counts as not sent, so that an issue that was read can be sent back with another project.
    Raises what `read` raises, and `Conflict` for the parent.
    """
    there = setting(at.by, target.id, issue)
    before = {name: stored(issue, name) for name in {*OF_PROJECT, *changes} if name in FIELDS}
    sent = {name: value for name, value in changes.items() if not _is_left(name, value, at, there, before)}
    after = _carried(issue, before, there) | read(sent, there, before)
    if after["team"] not in target.team_ids:
        after["team"] = None
    if after.get("parent") and after["parent"] != before["parent"]:
        check_parent(issue.pk, after["parent"])
    differing = {name: value for name, value in after.items() if value != before[name]}
    return {name: before[name] for name in differing}, differing, there


def is_outdated(there: Setting) -> bool:
    """Whether projects changed since the values were read; asked when the target's counter is locked."""
    user = there.by.user
    forget_versions(user)
    return catalog(versions_of(user)) is not there.catalog


def rehouse(issue: Issue, there: Setting, number: int) -> dict[str, list[Any]]:
    """Give a locked issue, not yet saved, its new project and number; the old key becomes an alias.

    A key that a live issue has wins over an alias, and the latest alias over an earlier one. Returns what the
    event tells.
    """
    source = there.catalog.projects[issue.project_id]
    old, new = f"{source.key}-{issue.number}", f"{there.project.key}-{number}"
    IssueAlias.objects.update_or_create(key=old, defaults={"issue": issue})
    issue.project_id, issue.number = there.project.id, number
    return {"project": [source.key, there.project.key], "key": [old, new]}


def _is_left(name: str, value: object, at: Setting, there: Setting, before: Values) -> bool:
    """Whether a value that the target does not know is the one that the issue has."""
    if name not in OF_PROJECT:
        return False
    try:
        FIELDS[name].read(value, there)
    except Invalid:
        try:
            return bool(FIELDS[name].read(value, at) == before[name])
        except Invalid:
            return False
    return False


def _carried(issue: Issue, before: Values, there: Setting) -> dict[str, Any]:
    """Return what becomes of the values that belong to the project, where nothing else was sent."""
    known = there.catalog
    return {
        "status": _status(known.statuses[before["status"]], known, there.project).id,
        "labels": _labels(before["labels"], known, there.project),
        "milestone": None,
        "cycle": None,
        "team": before["team"],
        "assignee": before["assignee"] if _may_stay(issue, there) else None,
    }


def _status(now: StatusInfo, known: Catalog, target: ProjectInfo) -> StatusInfo:
    """Return the target's status of this slug, else its first of this category, else its initial one."""
    same = known.status_by_slug(target.id, now.slug)
    akin = (status for status in known.statuses_of(target.id) if status.category == now.category)
    return same or next(akin, None) or known.initial_status(target.id)


def _labels(held: tuple[Any, ...], known: Catalog, target: ProjectInfo) -> tuple[Any, ...]:
    names = {known.labels[label].name.casefold() for label in held if label in known.labels}
    of_target = (info for info in known.labels.values() if info.project_id == target.id)
    return tuple(sorted(info.id for info in of_target if info.name.casefold() in names))


def _may_stay(issue: Issue, there: Setting) -> bool:
    """Whether the assignee sees the target. Whoever left the instance stays what they were."""
    if issue.assignee_id is None:
        return True
    person = User.objects.get(pk=issue.assignee_id)
    remember(person, versions_of(there.by.user))
    return not person.is_active or scope_of(person).sees_project(there.project.id)
