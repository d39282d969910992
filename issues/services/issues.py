"""The one way in which issues are written: by pages, API, admin, rules and imports alike."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from issues import policy
from issues.catalog import ProjectInfo, StatusInfo, catalog
from issues.events.verbs import verb_for_changes
from issues.lifecycle import Lifecycle
from issues.models import Issue, IssueLabel, Project, Watcher
from issues.refs import IssueRef, find_issue
from issues.scope import scope_of
from issues.search.documents import Document
from issues.services.activity import locked, require_active
from issues.services.fields import FIELDS, Setting, find_person, setting, stored, unpack
from issues.services.hierarchy import ancestors, check_parent
from issues.services.moving import is_outdated, move_target, rehouse, values_there
from issues.services.search_documents import index_documents, index_issues
from tracker.caller import Caller
from tracker.errors import Conflict, IllegalTransition, Invalid, NotAllowed, NotFound, Stale
from tracker.events.record import record
from tracker.ids import new_id
from tracker.versions import versions_of

Changes = Mapping[str, Any]


@transaction.atomic
def create_issue(project_id: uuid.UUID, *, by: Caller, fields: Changes) -> Issue:
    """File an issue; the author is the caller, the number the project's next one.

    `fields`: values by the names of `issues.services.fields.FIELDS`, in any form the API accepts; `title`
    is required. Raises `NotFound` (project), `NotAllowed` (fields), `Invalid`, `Conflict` (archived).
    The project's counter row is locked last, and only until commit.
    """
    scope = scope_of(by.user)
    if not scope.sees_project(project_id):
        raise NotFound
    at = setting(by, project_id)
    policy.require(allowed=scope.may("file_issue"), message="You may not file issues.")
    initial = at.catalog.initial_status(project_id)
    values = {name: field.default for name, field in FIELDS.items()} | {"status": initial.id}
    fields = _without_fixed(fields, at)
    values |= _read_allowed(fields, at, values, allowed=policy.settable_when_filing(scope))
    if not values["title"]:
        raise Invalid(fields={"title": ["May not be empty."]})
    if values["parent"]:
        _lock([*ancestors(values["parent"])])
        check_parent(None, values["parent"])
    status, labels, moment = at.catalog.statuses[values["status"]], values.pop("labels"), by.now
    life = Lifecycle().enter(status.category, moment)
    issue_id = new_id()
    index_documents([Document(issue_id, values["title"], values["description"])])
    issue = Issue(
        id=issue_id,
        project_id=project_id,
        reporter_id=by.actor.pk,
        number=_next_number(project_id),
        created_at=moment,
        updated_at=moment,
        activity_at=moment,
        started_at=life.started_at,
        closed_at=life.closed_at,
        **{FIELDS[name].column: value for name, value in values.items()},
    )
    issue.save(force_insert=True)
    _set_labels(issue, labels, replacing=False)
    Watcher.objects.create(issue=issue, user_id=issue.reporter_id, created_at=moment)
    record(
        by=by,
        verb="issue.created",
        project_id=project_id,
        issue_id=issue.pk,
        issue_key=f"{at.project.key}-{issue.number}",
        version=1,
        data={"initial": _initial(values | {"labels": labels}, at)},
        at=moment,
    )
    return issue


@transaction.atomic
def edit_issue(
    ref: IssueRef, *, by: Caller, changes: Changes, expected_version: int | frozenset[int] | None = None
) -> Issue:
    """Change fields of an issue under its lock; what does not differ is left, and makes no event.

    Another `project` moves it: the target's counter is locked after the issue, the old key stays an alias.
    `expected_version`: the version (or versions) that the caller has seen; None: under the lock only.
    Raises `NotFound`, `NotAllowed` (naming the fields), `Invalid`, `Stale`, `Conflict` (archived, a circle of
    parents), `IllegalTransition`.
    """
    issue = _locked_with_parents(ref, by=by, changes=changes)
    return edit_locked(issue, by=by, changes=changes, expected_version=expected_version)


def edit_locked(
    issue: Issue, *, by: Caller, changes: Changes, expected_version: int | frozenset[int] | None = None
) -> Issue:
    """Do what `edit_issue` does to an issue that `lock_to_edit` has locked; the same object comes back."""
    at = setting(by, issue.project_id, issue)
    target = move_target(changes["project"], at) if "project" in changes else None
    changes = _without_fixed(changes, at)
    if target is not None:
        return _move(issue, at, target=target, changes=changes, expected_version=expected_version)
    status = at.catalog.statuses[issue.status_id]
    before = {name: stored(issue, name) for name in changes if name in FIELDS}
    after = _read_allowed(changes, at, before, allowed=policy.editable_fields(at.scope, issue, status))
    after = {name: value for name, value in after.items() if value != before[name]}
    _require_only_taking(after, at)
    check_version(issue, expected_version)
    if not after:
        return issue
    require_active(issue)
    if after.get("parent"):
        check_parent(issue.pk, after["parent"])
    if "status" in after:
        _require_transition(issue, at, target=at.catalog.statuses[after["status"]], after=after)
    write_changes(issue, at, before=before, after=after)
    return issue


def _move(
    issue: Issue,
    at: Setting,
    *,
    target: ProjectInfo,
    changes: Changes,
    expected_version: int | frozenset[int] | None,
) -> Issue:
    """Move a locked issue. No step of a workflow is taken: what one requires, and of whom, does not apply."""

    def read(sent: Changes, there: Setting, before: Mapping[str, Any]) -> dict[str, Any]:
        status = there.catalog.statuses[issue.status_id]
        values = _read_allowed(
            sent, there, before, allowed=policy.editable_fields(there.scope, issue, status)
        )
        _require_only_taking({name: values[name] for name in values if values[name] != before[name]}, there)
        return values

    before, after, there = values_there(issue, at, target=target, changes=changes, read=read)
    check_version(issue, expected_version)
    require_active(issue)
    number = _next_number(target.id)
    if is_outdated(there):
        before, after, there = values_there(issue, at, target=target, changes=changes, read=read)
    write_changes(issue, there, before=before, after=after, number=number)
    return issue


@transaction.atomic
def change_status(
    ref: IssueRef,
    *,
    by: Caller,
    to: object,
    comment: str = "",
    changes: Changes | None = None,
    expected_version: int | frozenset[int] | None = None,
) -> Issue:
    """Take a step of the workflow, with a comment and the fields that it requires; all or nothing.

    Raises what `edit_issue` and `add_comment` raise.
    """
    from issues.services.comments import add_comment  # comments lock issues by this module

    issue = edit_issue(
        ref, by=by, changes={**(changes or {}), "status": to}, expected_version=expected_version
    )
    allowed = policy.can_change_status(scope_of(by.user), issue)  # also where it has that status already
    policy.require(allowed=allowed, message="You may not change the status of this issue.")
    if comment:
        add_comment(issue.pk, by=by, body=comment)
    return issue


@transaction.atomic
def trash_issue(ref: IssueRef, *, by: Caller, expected_version: int | frozenset[int] | None = None) -> Issue:
    """Put an issue into the trash, for 30 days. Raises `NotFound`, `NotAllowed`, `Stale`."""
    issue = lock_issue(ref, by=by)
    at = setting(by, issue.project_id, issue)
    policy.require(allowed=policy.can_trash(at.scope), message="You may not delete issues.")
    check_version(issue, expected_version)
    require_active(issue)
    issue.trashed_at = issue.activity_at = moment_of(issue, by=by)
    issue.save(update_fields=["trashed_at", "activity_at"])
    _record(issue, at, verb="issue.trashed")
    return issue


@transaction.atomic
def restore_issue(ref: IssueRef, *, by: Caller) -> Issue:
    """Take an issue out of the trash; one that is not in it is left. Raises `NotFound`, `NotAllowed`."""
    found = Issue.objects.visible_or_trashed_to(by.user)
    issue = find_issue(ref, user=by.user, among=locked(found))
    at = setting(by, issue.project_id, issue)
    policy.require(allowed=policy.can_trash(at.scope), message="You may not restore issues.")
    if issue.trashed_at is None:
        return issue
    require_active(issue)
    issue.trashed_at, issue.activity_at = None, moment_of(issue, by=by)
    issue.save(update_fields=["trashed_at", "activity_at"])
    _record(issue, at, verb="issue.restored")
    return issue


def lock_issue(ref: IssueRef, *, by: Caller) -> Issue:
    """Return a visible issue with its row locked until commit. Raises `NotFound`."""
    return find_issue(ref, user=by.user, among=locked(Issue.objects.visible_to(by.user)))


def check_version(issue: Issue, expected: int | frozenset[int] | None) -> None:
    """Raise `Stale` unless the issue, whose row is locked, has an expected version."""
    if expected is None:
        return
    wanted = {expected} if isinstance(expected, int) else expected
    if issue.version not in wanted:
        raise Stale(issue_id=issue.pk, expected=max(wanted, default=None))


def moment_of(issue: Issue, *, by: Caller) -> datetime:
    """Return the time of a change to an issue whose row is locked: never before its latest change,
    whatever the clocks of several processes say, so that the timeline keeps the order of the locks."""
    return by.now if by.at else max(by.now, issue.activity_at)


def next_statuses(issue: Issue, *, user: Any) -> list[tuple[StatusInfo, tuple[str, ...]]]:
    """Return the statuses that this person may choose next, each with the fields that it requires."""
    scope, known = scope_of(user), catalog(versions_of(user))
    if not policy.can_change_status(scope, issue) or known.projects[issue.project_id].archived_at:
        return []
    steps = known.transitions.get(issue.project_id, {})
    return [
        (status, steps[(issue.status_id, status.id)].requires)
        for status in known.statuses_of(issue.project_id)
        if (issue.status_id, status.id) in steps
        and policy.can_take(scope, steps[(issue.status_id, status.id)])
    ]


# --- reading what was sent ---------------------------------------------------------------------------
def _read_allowed(
    sent: Changes, at: Setting, current: Mapping[str, Any], *, allowed: frozenset[str]
) -> dict[str, Any]:
    """Return the stored values of what was sent. What is not allowed may be sent if it changes nothing."""
    values: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    refused: list[str] = []
    for name, raw in sent.items():
        if name not in FIELDS:
            raise Invalid(fields={name: ["There is no such field."]})
        try:
            value = FIELDS[name].read(raw, at)
        except Invalid as error:
            (wrong.update(error.fields) if name in allowed else refused.append(name))
            continue
        if name in allowed:
            values[name] = value
        elif value != current[name] and not _is_hidden_parent(name, value, at):
            refused.append(name)
    if refused:
        raise NotAllowed(fields={name: ["You may not set this field."] for name in refused})
    if wrong:
        raise Invalid(fields=wrong)
    return {name: _keep_hidden_parent(name, value, at) for name, value in values.items()}


def _without_fixed(sent: Changes, at: Setting) -> Changes:
    """Drop project, which is looked at before, and reporter where it is as read: nobody changes it."""
    fixed = {name for name in ("project", "reporter") if name in sent}
    if "reporter" in fixed and not _is_own_reporter(sent["reporter"], at):
        raise NotAllowed(fields={"reporter": ["You may not set this field."]})
    return {name: value for name, value in sent.items() if name not in fixed}


def _is_own_reporter(value: object, at: Setting) -> bool:
    person = find_person(unpack(value, "id", "email"), at=at)
    return person is not None and person.pk == (at.issue.reporter_id if at.issue else at.by.actor.pk)


def _is_hidden_parent(name: str, value: Any, at: Setting) -> bool:
    """Whether the caller sends back the `null` that stands for a parent which they cannot see."""
    return name == "parent" and value is None and _keep_hidden_parent(name, value, at) is not None


def _keep_hidden_parent(name: str, value: Any, at: Setting) -> Any:
    if name != "parent" or value is not None or at.issue is None or at.issue.parent_id is None:
        return value
    visible = Issue.objects.visible_to(at.by.user).filter(pk=at.issue.parent_id).exists()
    return None if visible else at.issue.parent_id


def _require_only_taking(after: Mapping[str, Any], at: Setting) -> None:
    """Who may only take an unassigned issue cannot give it to somebody else."""
    if at.issue is None or "assignee" not in after or not policy.may_only_take(at.scope, at.issue):
        return
    if after["assignee"] != at.by.user.pk:
        raise NotAllowed(
            "You may take this issue yourself, not assign it to others.",
            fields={"assignee": ["Only to yourself."]},
        )


def _require_transition(issue: Issue, at: Setting, *, target: StatusInfo, after: Mapping[str, Any]) -> None:
    step = at.catalog.transitions.get(issue.project_id, {}).get((issue.status_id, target.id))
    source = at.catalog.statuses[issue.status_id]
    if step is None:
        raise IllegalTransition(
            f"There is no step from {source.name} to {target.name}.",
            details={"from": source.slug, "to": target.slug},
        )
    if not policy.can_take(at.scope, step):
        raise NotAllowed(f"Your role may not move an issue from {source.name} to {target.name}.")
    missing = [name for name in step.requires if not _filled(issue, name, after)]
    if missing:
        raise IllegalTransition(
            f"Fill in {', '.join(missing)} before {target.name}.",
            details={"from": source.slug, "to": target.slug, "requires": missing},
        )


def _filled(issue: Issue, name: str, after: Mapping[str, Any]) -> bool:
    value = after[name] if name in after else stored(issue, name)
    return value not in (None, "", (), 0) or (name == "estimate" and value is not None)


# --- writing -----------------------------------------------------------------------------------------
def lock_to_edit(ids: Collection[uuid.UUID], *, by: Caller, changes: Changes) -> dict[uuid.UUID, Issue]:
    """Lock those of the issues that the caller sees, in the order of their ids, and return them by id.

    With a new parent in `changes` that parent's ancestors are locked with them.
    """
    if changes.get("parent") and (anyone := Issue.objects.filter(pk__in=ids).first()) is not None:
        _lock_parents(sorted(ids), setting(by, anyone.project_id), named=changes["parent"])
    visible = Issue.objects.visible_to(by.user).filter(pk__in=ids).order_by("pk")
    return {issue.pk: issue for issue in locked(visible)}


def _locked_with_parents(ref: IssueRef, *, by: Caller, changes: Changes) -> Issue:
    """Lock the issue; with a new parent also that parent's ancestors, all in the order of their ids."""
    if not changes.get("parent"):
        return lock_issue(ref, by=by)
    issue = find_issue(ref, user=by.user, among=Issue.objects.visible_to(by.user))
    _lock_parents([issue.pk], setting(by, issue.project_id), named=changes["parent"])
    return lock_issue(issue.pk, by=by)


def _lock_parents(ids: Collection[uuid.UUID], at: Setting, *, named: object) -> None:
    """Lock these issues and the ancestors of the new parent; one that is not there is told later."""
    try:
        parent_id = FIELDS["parent"].read(named, at)
    except Invalid:
        return
    _lock([*ids, *ancestors(parent_id)])


def _lock(ids: list[uuid.UUID]) -> None:
    list(Issue.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk"))


def write_changes(
    issue: Issue,
    at: Setting,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    number: int | None = None,
) -> None:
    """Store new values of a locked issue, count its version, and record one event that tells of them.

    For services of this package, which have checked that the change is allowed. `before` and `after`: stored
    values by field, all of which differ. `number`: the issue moves to the project of `at` under this number.
    """
    moment, sight_before = moment_of(issue, by=at.by), _sight(issue)
    told = rehouse(issue, at, number) if number is not None else {}
    columns = ["project_id", "number"] if number is not None else []
    for name, value in after.items():
        if name == "labels":
            _set_labels(issue, value, replacing=True)
        else:
            setattr(issue, FIELDS[name].column, value)
            columns.append(FIELDS[name].column)
    data: dict[str, Any] = {}
    if "status" in after and (categories := _enter(issue, at, before=before["status"], moment=moment)):
        columns += ["started_at", "closed_at"]
        data["categories"] = categories
    if number is not None or not after.keys().isdisjoint({"assignee", "team"}):
        data["sight"] = {"before": sight_before, "after": _sight(issue)}
    issue.version += 1
    issue.updated_at = issue.activity_at = moment
    issue.save(update_fields=[*columns, "version", "updated_at", "activity_at"])
    if not after.keys().isdisjoint(policy.TEXT_FIELDS):
        index_issues([issue.pk])
    for name in after:
        pair = [FIELDS[name].tell(before[name], at), FIELDS[name].tell(after[name], at)]
        if pair[0] != pair[1] or (name == "status" and "categories" in data):
            told[name] = pair
    _record(issue, at, verb=verb_for_changes(set(told)), changes=told, data=data)


def _enter(issue: Issue, at: Setting, *, before: uuid.UUID, moment: datetime) -> list[str]:
    """Let the times follow the new status; return both categories. Empty where a move changed neither slug
    nor category: the status is the same to who reads it."""
    source, target = at.catalog.statuses[before], at.catalog.statuses[issue.status_id]
    if (source.slug, source.category) == (target.slug, target.category):
        return []
    life = Lifecycle(issue.started_at, issue.closed_at).enter(target.category, moment)
    issue.started_at, issue.closed_at = life.started_at, life.closed_at
    return [source.category, target.category]


def _sight(issue: Issue) -> dict[str, str | None]:
    """Return what decides who sees the issue, as events keep it."""
    return {
        "project": str(issue.project_id),
        "reporter": str(issue.reporter_id),
        "assignee": str(issue.assignee_id) if issue.assignee_id else None,
        "team": str(issue.team_id) if issue.team_id else None,
    }


def _record(
    issue: Issue,
    at: Setting,
    *,
    verb: str,
    changes: dict[str, list[Any]] | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    record(
        by=at.by,
        verb=verb,
        project_id=issue.project_id,
        issue_id=issue.pk,
        issue_key=f"{at.project.key}-{issue.number}",
        version=issue.version,
        changes=changes,
        data=data,
        at=issue.activity_at,
    )


def _set_labels(issue: Issue, labels: tuple[uuid.UUID, ...], *, replacing: bool) -> None:
    if replacing:
        IssueLabel.objects.filter(issue=issue).exclude(label__in=labels).delete()
    if labels:
        IssueLabel.objects.bulk_create(
            [IssueLabel(issue=issue, label_id=label) for label in labels], ignore_conflicts=True
        )


def _initial(values: Mapping[str, Any], at: Setting) -> dict[str, Any]:
    """Return the first values of everything but the texts, from which the log can be folded forwards."""
    told = {
        name: FIELDS[name].tell(value, at) for name, value in values.items() if name not in policy.TEXT_FIELDS
    }
    category = at.catalog.statuses[values["status"]].category
    return {name: value for name, value in told.items() if value not in (None, [])} | {"category": category}


def _next_number(project_id: uuid.UUID) -> int:
    """Draw the project's next number and lock it until commit. Raises `Conflict` where it is archived."""
    key = Project._meta.pk.get_db_prep_value(project_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE issues_project SET next_number = next_number + 1 "
            "WHERE id = %s AND archived_at IS NULL RETURNING next_number - 1",
            [key],
        )
        row = cursor.fetchone()
    if row is None:
        raise Conflict("The project is archived and can only be read.")
    return int(row[0])
