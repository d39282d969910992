"""Projects and what hangs on them as every reader gets them.

Names come from memory; counts are of what the viewer sees.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Count, Q

from accounts.models import User
from accounts.people import people
from issues.catalog import Catalog, ProjectInfo, catalog
from issues.models import CLOSED_CATEGORIES, Category, Issue, Label, Milestone
from issues.rows import Row
from issues.scope import scope_of
from tracker.clock import iso
from tracker.errors import NotFound
from tracker.versions import forget_versions, versions_of

_CLOSED: Final = frozenset(CLOSED_CATEGORIES)


def find_project(key: str, *, user: User) -> ProjectInfo:
    """Return the project of a key that this person sees, from memory. Raises `NotFound`."""
    project = catalog(versions_of(user)).project_by_key(key)
    if project is None or not scope_of(user).sees_project(project.id):
        raise NotFound
    return project


def project_rows(ids: Sequence[uuid.UUID], *, user: User) -> list[Row]:
    """Return visible projects in the order of `ids`: one query, one more for leads who are not in memory."""
    known = _catalog_with(ids, user=user)
    infos = [known.projects[project_id] for project_id in ids]
    leads = people((info.lead_id for info in infos), versions=versions_of(user))
    counts = open_counts(ids, user=user)
    return [
        {
            "id": str(info.id),
            "key": info.key,
            "name": info.name,
            "description": info.description,
            "visibility": info.visibility,
            "workflow_preset": info.workflow_preset,
            "lead": leads.get(info.lead_id) if info.lead_id else None,
            "teams": sorted(str(team_id) for team_id in info.team_ids),
            "reporters_see_all": info.reporters_see_all,
            "time_zone": info.time_zone,
            "archived": info.archived_at is not None,
            "open_count": counts.get(info.id, 0),
            "created_at": iso(info.created_at),
        }
        for info in infos
    ]


def project_row(project_id: uuid.UUID, *, user: User) -> Row:
    """Return one visible project."""
    return project_rows([project_id], user=user)[0]


def open_counts(ids: Iterable[uuid.UUID], *, user: User) -> dict[uuid.UUID, int]:
    """Return how many open issues of each project this person sees, in one query."""
    known = catalog(versions_of(user))
    wanted = set(ids)
    statuses = [
        status.id
        for status in known.statuses.values()
        if status.project_id in wanted and status.category not in _CLOSED
    ]
    if not statuses:
        return {}
    issues = Issue.objects.visible_to(user).filter(project_id__in=wanted, status_id__in=statuses)
    return dict(issues.order_by().values("project_id").annotate(n=Count("pk")).values_list("project_id", "n"))


def workflow_row(project_id: uuid.UUID, *, user: User) -> Row:
    """Return the workflow of a visible project, from memory."""
    known = _catalog_with([project_id], user=user)
    statuses = known.statuses_of(project_id)
    slugs = {status.id: status.slug for status in statuses}
    order = {status.id: place for place, status in enumerate(statuses)}
    steps = known.transitions.get(project_id, {}).values()
    return {
        "version": known.projects[project_id].workflow_version,
        "initial": known.initial_status(project_id).slug,
        "statuses": [
            {"slug": each.slug, "name": each.name, "category": each.category, "color": each.color}
            for each in statuses
        ],
        "transitions": [
            {
                "from": slugs[step.from_id],
                "to": slugs[step.to_id],
                "roles": list(step.roles),
                "requires": list(step.requires),
            }
            for step in sorted(steps, key=lambda step: (order[step.from_id], order[step.to_id]))
        ],
    }


def label_row(label: Label) -> Row:
    """Return a label."""
    return {"id": str(label.pk), "name": label.name, "color": label.color, "description": label.description}


def milestone_rows(milestones: Sequence[Milestone], *, user: User) -> list[Row]:
    """Return milestones with the numbers of their issues that this person sees, in one query.

    `total`: all of them; `done`: those in a status of the category `done`.
    """
    counts = _milestone_counts([milestone.pk for milestone in milestones], user=user)
    return [_milestone_row(milestone, *counts.get(milestone.pk, (0, 0))) for milestone in milestones]


def _milestone_row(milestone: Milestone, total: int, done: int) -> Row:
    return {
        "id": str(milestone.pk),
        "name": milestone.name,
        "description": milestone.description,
        "due_date": milestone.due_date.isoformat() if milestone.due_date else None,
        "state": milestone.state,
        "total": total,
        "done": done,
    }


def _milestone_counts(ids: Sequence[uuid.UUID], *, user: User) -> dict[uuid.UUID, tuple[int, int]]:
    if not ids:
        return {}
    finished = catalog(versions_of(user)).status_ids(frozenset({Category.DONE}))
    issues: Any = (
        Issue.objects.visible_to(user).filter(milestone_id__in=ids).order_by().values("milestone_id")
    )
    counted = issues.annotate(total=Count("pk"), done=Count("pk", filter=Q(status_id__in=finished)))
    return {row["milestone_id"]: (row["total"], row["done"]) for row in counted}


def _catalog_with(ids: Iterable[uuid.UUID], *, user: User) -> Catalog:
    """Return the catalog, read anew where a project is newer than the snapshot."""
    known = catalog(versions_of(user))
    if any(project_id not in known.projects for project_id in ids):
        forget_versions(user)
        known = catalog(versions_of(user))
    return known
