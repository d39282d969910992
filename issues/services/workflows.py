"""The workflow of a project, replaced as a whole."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from issues.lifecycle import Lifecycle
from issues.models import CLOSED_CATEGORIES, STARTED_CATEGORIES, Issue, Project, Status, Transition
from issues.scope import scope_of
from issues.services.detaching import lock_issues
from issues.services.fields import setting
from issues.services.issues import write_changes
from issues.services.projects import lock_project, require_active, require_managing
from issues.services.workflow_input import WorkflowInput, read_moves, read_workflow
from tracker.caller import Caller
from tracker.errors import Conflict, NotFound
from tracker.events.record import record
from tracker.models import Event
from tracker.versions import CATALOG, bump

_BATCH: Final = 500


@transaction.atomic
def replace_workflow(
    project_id: uuid.UUID,
    *,
    by: Caller,
    initial: object,
    statuses: object,
    transitions: object,
    moves: object = None,
    expected_version: int | None = None,
) -> Project:
    """Replace statuses and transitions, in the shape of the API; a status is known by its slug.

    `moves`: old slug → new slug for issues of a status that goes. Each of them gets an event. Where the
    category of a status changes, the times of its issues follow. Locks those issues, then the project.
    Raises `NotFound`, `NotAllowed`, `Invalid`, and `Conflict` where the version is another one, the project
    is archived, or issues have a status that goes and is not moved.
    """
    if not scope_of(by.user).sees_project(project_id):
        raise NotFound
    require_managing(Project(pk=project_id), by=by)
    wanted = read_workflow(initial=initial, statuses=statuses, transitions=transitions)
    issues = lock_issues(project_id, _touched_by(wanted, _slugs(project_id)))
    project = lock_project(project_id, by=by)
    before = _described(_stored(project))
    if before == _described(wanted) and not moves and expected_version in {None, project.workflow_version}:
        return project
    require_active(project)
    _require_version(project, expected_version)
    removed = frozenset(_slugs(project_id)) - wanted.slugs
    targets = read_moves(moves, removed=removed, kept=wanted.slugs)
    _require_moves(project, removed, targets, locked=issues)
    _write(project, wanted, by=by, issues=issues, moves=targets, before=before)
    return project


# --- rules -------------------------------------------------------------------------------------------
def _slugs(project_id: uuid.UUID) -> dict[str, str]:
    return dict(Status.objects.filter(project_id=project_id).values_list("slug", "category"))


def _touched_by(wanted: WorkflowInput, held: Mapping[str, str]) -> Q:
    """Return the condition on issues whose status goes or changes its category."""
    kept = {status.slug: status.category for status in wanted.statuses}
    return Q(status__slug__in=[slug for slug, category in held.items() if kept.get(slug) != category])


def _require_version(project: Project, expected: int | None) -> None:
    if expected is not None and expected != project.workflow_version:
        raise Conflict(
            "Somebody changed this workflow since you read it.", details={"version": project.workflow_version}
        )


def _require_moves(
    project: Project, removed: frozenset[str], moves: Mapping[str, str], *, locked: Iterable[Issue]
) -> None:
    held = Issue.objects.filter(project=project, status__slug__in=removed).values_list("pk", "status__slug")
    rows = list(held)
    left = Counter(slug for _, slug in rows if slug not in moves)
    if left:
        raise Conflict(
            f"Issues still have the status {', '.join(sorted(left))}: say in `moves` which they get.",
            details={"statuses": dict(left)},
        )
    if not {pk for pk, _ in rows} <= {issue.pk for issue in locked}:
        raise Conflict("Issues were changed at the same time. Try again.")


def _require_locked(status_ids: Collection[uuid.UUID], *, locked: Iterable[Issue]) -> None:
    held = set(Issue.objects.filter(status_id__in=status_ids).values_list("pk", flat=True))
    if not held <= {issue.pk for issue in locked}:
        raise Conflict("Issues were changed at the same time. Try again.")


# --- writing -----------------------------------------------------------------------------------------
def _write(
    project: Project,
    wanted: WorkflowInput,
    *,
    by: Caller,
    issues: Iterable[Issue],
    moves: Mapping[str, str],
    before: dict[str, Any],
) -> None:
    recategorised = _store_statuses(project, wanted)
    bump(CATALOG, by=by)
    ids = {status.pk for status in recategorised}
    staying = [issue for issue in issues if issue.status_id in ids]
    _require_locked(ids, locked=staying)
    _move(project, issues, moves, by=by)
    Status.objects.filter(project=project).exclude(slug__in=wanted.slugs).delete()
    _store_steps(project, wanted)
    _set_times(staying, recategorised)
    project.workflow_version += 1
    project.save(update_fields=["workflow_version"])
    bump(CATALOG, by=by)
    after = _described(wanted)
    record(
        by=by,
        verb="workflow.changed",
        project_id=project.pk,
        subject_id=project.pk,
        changes={name: [before[name], after[name]] for name in after if before[name] != after[name]},
        data={"version": project.workflow_version, "moves": dict(moves)},
    )


def _store_statuses(project: Project, wanted: WorkflowInput) -> list[Status]:
    """Write the statuses that stay or come; return those whose category changed."""
    held = {status.slug: status for status in Status.objects.filter(project=project)}
    Status.objects.filter(project=project, is_initial=True).update(is_initial=False)
    recategorised = []
    for position, each in enumerate(wanted.statuses):
        status = held.get(each.slug) or Status(project=project, slug=each.slug, category=each.category)
        if status.category != each.category:
            recategorised.append(status)
        status.name, status.category, status.color = each.name, each.category, each.color
        status.position, status.is_initial = position, each.slug == wanted.initial
        status.save(force_insert=each.slug not in held)
    return recategorised


def _move(project: Project, issues: Iterable[Issue], moves: Mapping[str, str], *, by: Caller) -> None:
    at = setting(by, project.pk)
    slugs = {status.slug: status.id for status in at.catalog.statuses_of(project.pk)}
    for issue in issues:
        target = moves.get(at.catalog.statuses[issue.status_id].slug)
        if target is not None:
            write_changes(issue, at, before={"status": issue.status_id}, after={"status": slugs[target]})


def _store_steps(project: Project, wanted: WorkflowInput) -> None:
    statuses = {status.slug: status for status in Status.objects.filter(project=project)}
    Transition.objects.filter(project=project).delete()
    Transition.objects.bulk_create(
        Transition(
            project=project,
            from_status=statuses[step.source],
            to_status=statuses[step.target],
            roles=list(step.roles),
            requires=list(step.requires),
        )
        for step in wanted.steps
    )


def _set_times(issues: Sequence[Issue], statuses: Sequence[Status]) -> None:
    """Let the times of locked issues follow the new categories of their statuses, as their log has them.

    The new category counts from the issue's last entry into its status, so that a category which comes back
    brings back the times. An issue whose times change gets a new version; the event is the workflow's.
    """
    changed = []
    by_id = {status.pk: status for status in statuses}
    entries = _last_entries(issues, {status.slug: status.category for status in statuses})
    for issue in issues:
        status = by_id[issue.status_id]
        before = Lifecycle(issue.started_at, issue.closed_at)
        if _is_settled(before, status.category):
            continue
        earlier, entered_at = entries.get((issue.pk, status.slug), (Lifecycle(), issue.created_at))
        after = earlier.enter(status.category, entered_at)
        if after != before:
            issue.started_at, issue.closed_at = after.started_at, after.closed_at
            issue.version += 1
            changed.append(issue)
    Issue.objects.bulk_update(changed, ["started_at", "closed_at", "version"], batch_size=_BATCH)


def _is_settled(life: Lifecycle, category: str) -> bool:
    """Whether the times are such as this category has them: done and canceled, say, do not differ."""
    if category in CLOSED_CATEGORIES:
        return life.closed_at is not None
    if category in STARTED_CATEGORIES:
        return life.started_at is not None and life.closed_at is None
    return life == Lifecycle()


def _last_entries(
    issues: Sequence[Issue], categories: Mapping[str, str]
) -> dict[tuple[uuid.UUID, str], tuple[Lifecycle, datetime]]:
    """Return, by issue and status, the times before the last entry into the status, and when that was.

    `categories`: the new ones by slug, which count for earlier entries too.
    """
    entries: dict[tuple[uuid.UUID, str], tuple[Lifecycle, datetime]] = {}
    lives: dict[uuid.UUID, Lifecycle] = {}
    concerned = Issue.objects.filter(status_id__in={issue.status_id for issue in issues}).values("pk")
    events = Event.objects.filter(
        Q(changes__has_key="status") | Q(data__has_key="initial"), issue_id__in=concerned
    ).order_by("at", "order")
    for issue_id, at, changes, data in events.values_list("issue_id", "at", "changes", "data").iterator():
        if issue_id is None:
            continue
        initial = data.get("initial", {})
        slug = changes["status"][1] if "status" in changes else initial.get("status", "")
        told = data["categories"][1] if "categories" in data else initial.get("category", "")
        life = lives.get(issue_id, Lifecycle())
        entries[issue_id, slug] = (life, at)
        if category := categories.get(slug, told):
            lives[issue_id] = life.enter(category, at)
    return entries


# --- comparing ---------------------------------------------------------------------------------------
def _stored(project: Project) -> WorkflowInput:
    """Return the workflow that the project has, in the form of an input."""
    statuses = list(Status.objects.filter(project=project).order_by("position", "id"))
    slugs = {status.pk: status.slug for status in statuses}
    return read_workflow(
        initial=next((status.slug for status in statuses if status.is_initial), statuses[0].slug),
        statuses=[
            {"slug": status.slug, "name": status.name, "category": status.category, "color": status.color}
            for status in statuses
        ],
        transitions=[
            {
                "from": slugs[step.from_status_id],
                "to": slugs[step.to_status_id],
                "roles": step.roles,
                "requires": step.requires,
            }
            for step in Transition.objects.filter(project=project)
        ],
    )


def _described(workflow: WorkflowInput) -> dict[str, Any]:
    """Return the workflow as the event log keeps it."""
    return {
        "initial": workflow.initial,
        "statuses": [
            {"slug": each.slug, "name": each.name, "category": each.category, "color": each.color}
            for each in workflow.statuses
        ],
        "transitions": [
            {
                "from": each.source,
                "to": each.target,
                "roles": list(each.roles),
                "requires": list(each.requires),
            }
            for each in workflow.steps
        ],
    }
