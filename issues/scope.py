"""What a person may see: the one read scope of pages, API, search, exports, statistics and live stream.

`Scope.issues_q()` asks the database, `Scope.covers()` asks facts that are already at hand (the live
stream has them once for all receivers). A test holds the two against each other.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from accounts.rights import NOBODY, Rights, rights_of
from issues.catalog import Catalog, ProjectInfo, catalog
from tracker.versions import versions_of


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """What decides who sees an issue."""

    project_id: uuid.UUID
    reporter_id: uuid.UUID
    assignee_id: uuid.UUID | None
    watcher_ids: frozenset[uuid.UUID] = frozenset()
    is_trashed: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What one person sees at one version of rights and catalog."""

    rights: Rights
    project_ids: frozenset[uuid.UUID]
    sees_every_project: bool
    whole_project_ids: frozenset[uuid.UUID]

    @property
    def user_id(self) -> uuid.UUID | None:
        """Whose scope this is; None for nobody."""
        return self.rights.user_id

    def may(self, permission: str) -> bool:
        """Whether the role holds the permission of the issues app."""
        return self.rights.may(f"issues.{permission}")

    @property
    def reads_internal(self) -> bool:
        """Whether internal comments are shown."""
        return self.may("read_internal")

    def sees_project(self, project_id: uuid.UUID) -> bool:
        """Whether the project exists for this person."""
        return project_id in self.project_ids

    def projects_q(self, path: str = "project_id") -> Q:
        """Return the condition on a column that holds a project's id."""
        if self.sees_every_project:
            return Q()
        return Q(**{f"{path}__in": self.project_ids})

    def issues_q(self, *, prefix: str = "") -> Q:
        """Return the condition on issues (`prefix` leads to the issue from another table)."""
        if self.user_id is None:
            return Q(pk__in=[])
        visible = self.projects_q(f"{prefix}project_id")
        if self.may("see_all_issues"):
            return visible
        from issues.models import Watcher  # the models import the querysets, which import this

        watches = Exists(Watcher.objects.filter(issue=OuterRef(f"{prefix}pk"), user=self.user_id))
        own = (
            Q(**{f"{prefix}reporter_id": self.user_id})
            | Q(**{f"{prefix}assignee_id": self.user_id})
            | Q(watches)
        )
        if self.whole_project_ids:
            own |= Q(**{f"{prefix}project_id__in": self.whole_project_ids})
        return visible & own

    def covers(self, facts: IssueFacts) -> bool:
        """Whether this person sees the issue of these facts, trashed or not."""
        if self.user_id is None or facts.project_id not in self.project_ids:
            return False
        if self.may("see_all_issues") or facts.project_id in self.whole_project_ids:
            return True
        return self.user_id in {facts.reporter_id, facts.assignee_id} or self.user_id in facts.watcher_ids


NOTHING = Scope(NOBODY, frozenset(), sees_every_project=False, whole_project_ids=frozenset())

_scopes: dict[tuple[uuid.UUID, str], tuple[tuple[int, int], Scope]] = {}


def scope_of(user: Any) -> Scope:
    """Return what this person sees now; no query where rights and catalog are in memory."""
    if not isinstance(user, User) or not user.is_active:
        return NOTHING
    versions = versions_of(user)
    at = (versions.rights, versions.catalog)
    held = _scopes.get((user.pk, user.role))
    if held is not None and held[0] == at:
        return held[1]
    if len(_scopes) > 20_000:
        _scopes.clear()
    fresh = _make(rights_of(user), catalog(versions))
    _scopes[(user.pk, user.role)] = (at, fresh)
    return fresh


def _make(rights: Rights, known: Catalog) -> Scope:
    visible = [project for project in known.projects.values() if _sees(rights, project)]
    return Scope(
        rights=rights,
        project_ids=frozenset(project.id for project in visible),
        sees_every_project=rights.may("issues.see_private_projects"),
        whole_project_ids=frozenset(project.id for project in visible if project.reporters_see_all),
    )


def _sees(rights: Rights, project: ProjectInfo) -> bool:
    if not project.is_private or rights.may("issues.see_private_projects"):
        return True
    return project.lead_id == rights.user_id or not project.team_ids.isdisjoint(rights.team_ids)


def watchers_of(issue_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
    """Return who watches these issues, in one query."""
    from issues.models import Watcher  # see above

    found: dict[uuid.UUID, set[uuid.UUID]] = {issue_id: set() for issue_id in issue_ids}
    for issue_id, user_id in Watcher.objects.filter(issue__in=issue_ids).values_list("issue_id", "user_id"):
        found[issue_id].add(user_id)
    return {issue_id: frozenset(users) for issue_id, users in found.items()}
