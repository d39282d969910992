"""Projects, workflows and names as a snapshot in the process, so that reading an issue joins nothing.

The snapshot belongs to one version of the catalog and is read anew when a service has bumped it.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final

from accounts.models import Team
from issues.models import (
    Category,
    Cycle,
    Label,
    Milestone,
    Project,
    ProjectTeam,
    Status,
    Transition,
    Visibility,
)
from tracker.versions import Versions

CATEGORY_RANK: Final = {category.value: rank for rank, category in enumerate(Category)}


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project as readers need it."""

    id: uuid.UUID
    key: str
    name: str
    description: str
    visibility: str
    reporters_see_all: bool
    lead_id: uuid.UUID | None
    team_ids: frozenset[uuid.UUID]
    time_zone: str
    workflow_preset: str
    workflow_version: int
    archived_at: datetime | None
    created_at: datetime

    @property
    def is_private(self) -> bool:
        """Whether only its teams, its lead and admins see it."""
        return self.visibility == Visibility.PRIVATE


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """A status of a workflow."""

    id: uuid.UUID
    project_id: uuid.UUID
    slug: str
    name: str
    category: str
    color: str
    position: int
    is_initial: bool

    @property
    def is_closed(self) -> bool:
        """Done or canceled."""
        return self.category in {Category.DONE, Category.CANCELED}


@dataclass(frozen=True, slots=True)
class TransitionInfo:
    """An allowed step."""

    from_id: uuid.UUID
    to_id: uuid.UUID
    roles: tuple[str, ...]
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameInfo:
    """A label, milestone, cycle or team by id; `project_id` is None for teams."""

    id: uuid.UUID
    name: str
    project_id: uuid.UUID | None = None


@dataclass(slots=True)
class Catalog:
    """One snapshot."""

    projects: dict[uuid.UUID, ProjectInfo] = field(default_factory=dict)
    by_key: dict[str, ProjectInfo] = field(default_factory=dict)
    statuses: dict[uuid.UUID, StatusInfo] = field(default_factory=dict)
    workflow: dict[uuid.UUID, list[StatusInfo]] = field(default_factory=dict)
    transitions: dict[uuid.UUID, dict[tuple[uuid.UUID, uuid.UUID], TransitionInfo]] = field(
        default_factory=dict
    )
    labels: dict[uuid.UUID, NameInfo] = field(default_factory=dict)
    milestones: dict[uuid.UUID, NameInfo] = field(default_factory=dict)
    cycles: dict[uuid.UUID, NameInfo] = field(default_factory=dict)
    teams: dict[uuid.UUID, NameInfo] = field(default_factory=dict)

    def project_by_key(self, key: str) -> ProjectInfo | None:
        """Look a project up by key, in any case."""
        return self.by_key.get(key.upper())

    def statuses_of(self, project_id: uuid.UUID) -> list[StatusInfo]:
        """Return a project's statuses in the order of the workflow."""
        return self.workflow.get(project_id, [])

    def status_by_slug(self, project_id: uuid.UUID, slug: str) -> StatusInfo | None:
        """Look a status up in one project."""
        return next((status for status in self.statuses_of(project_id) if status.slug == slug), None)

    def initial_status(self, project_id: uuid.UUID) -> StatusInfo:
        """Return where new issues of the project begin."""
        statuses = self.statuses_of(project_id)
        return next((status for status in statuses if status.is_initial), statuses[0])

    def status_ids(self, categories: frozenset[str]) -> list[uuid.UUID]:
        """Return the ids of all statuses of these categories."""
        return [status.id for status in self.statuses.values() if status.category in categories]


_snapshot: tuple[int, Catalog] | None = None
_lock = Lock()


def catalog(versions: Versions) -> Catalog:
    """Return the snapshot of this version; seven queries where it is not in memory, none where it is."""
    global _snapshot
    held = _snapshot
    if held is not None and held[0] == versions.catalog:
        return held[1]
    with _lock:
        fresh = _read()
        _snapshot = (versions.catalog, fresh)
    return fresh


def _read() -> Catalog:
    teams = defaultdict(set)
    for project_id, team_id in ProjectTeam.objects.values_list("project_id", "team_id"):
        teams[project_id].add(team_id)
    result = Catalog()
    columns = (
        "id", "key", "name", "description", "visibility", "reporters_see_all", "lead_id", "time_zone",
        "workflow_preset", "workflow_version", "archived_at", "created_at",
    )  # fmt: skip
    for row in Project.objects.values(*columns):
        info = ProjectInfo(team_ids=frozenset(teams[row["id"]]), **row)
        result.projects[info.id] = result.by_key[info.key] = info
    _read_workflows(result)
    for names, model in ((result.labels, Label), (result.milestones, Milestone), (result.cycles, Cycle)):
        names.update(
            (row[0], NameInfo(*row)) for row in model.objects.values_list("id", "name", "project_id")
        )
    result.teams = {row[0]: NameInfo(*row) for row in Team.objects.values_list("id", "name")}
    return result


def _read_workflows(result: Catalog) -> None:
    workflow: dict[uuid.UUID, list[StatusInfo]] = defaultdict(list)
    transitions: dict[uuid.UUID, dict[tuple[uuid.UUID, uuid.UUID], TransitionInfo]] = defaultdict(dict)
    columns = ("id", "project_id", "slug", "name", "category", "color", "position", "is_initial")
    for values in Status.objects.order_by("position", "id").values_list(*columns):
        info = StatusInfo(*values)
        result.statuses[info.id] = info
        workflow[info.project_id].append(info)
    rows = Transition.objects.values_list("project_id", "from_status_id", "to_status_id", "roles", "requires")
    for project_id, source, target, roles, requires in rows:
        transitions[project_id][(source, target)] = TransitionInfo(
            source, target, tuple(roles), tuple(requires)
        )
    result.workflow, result.transitions = dict(workflow), dict(transitions)
