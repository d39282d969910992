"""The issue that a page's address names."""

from dataclasses import dataclass

from django.http import HttpRequest

from issues.catalog import ProjectInfo, StatusInfo, catalog
from issues.models import Issue
from issues.refs import find_issue
from issues.views.callers import person
from tracker.versions import forget_versions, versions_of


@dataclass(frozen=True, slots=True)
class Found:
    """An issue with what the catalog knows of it."""

    issue: Issue
    project: ProjectInfo
    status: StatusInfo

    @property
    def key(self) -> str:
        """Its key now."""
        return f"{self.project.key}-{self.issue.number}"

    @property
    def is_active(self) -> bool:
        """Whether it can be written: neither in the trash nor in an archived project."""
        return self.issue.trashed_at is None and self.project.archived_at is None


def found_issue(request: HttpRequest, ref: str, *, trashed: bool = False) -> Found:
    """Return the visible issue of an id, a key or an old key; raises `NotFound`.

    `trashed`: also from the trash, for who sees it.
    """
    user = person(request)
    among = Issue.objects.visible_or_trashed_to(user) if trashed else Issue.objects.visible_to(user)
    issue = find_issue(ref, user=user, among=among)
    known = catalog(versions_of(user))
    if issue.status_id not in known.statuses or issue.project_id not in known.projects:
        forget_versions(user)  # the row is newer than the snapshot
        known = catalog(versions_of(user))
    return Found(issue, known.projects[issue.project_id], known.statuses[issue.status_id])


def issue_path(key: str) -> str:
    """Return the address of an issue's page."""
    return f"/issues/{key}/"
