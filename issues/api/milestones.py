"""The milestones of a project, by id."""

import uuid
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from issues.api.project_bodies import MilestoneBody
from issues.api.project_shapes import Milestone as MilestoneShape
from issues.api.projects import find_managed_project
from issues.models import Milestone
from issues.project_rows import find_project, milestone_rows
from issues.services.milestones import create_milestone, delete_milestone, edit_milestone
from tracker.api.operations import operation
from tracker.api.pagination import Row, SortKey
from tracker.api.views import ApiView
from tracker.errors import NotFound

SORTS: Final = {
    "created_at": SortKey("id"),
    "due_date": SortKey("due_date", nullable=True),
    "name": SortKey("name"),
}


class MilestonesView(ApiView):
    """The milestones of one project."""

    @operation(response=MilestoneShape, paginated=True, sorts=tuple(SORTS))
    def get(self, request: Request, key: str) -> HttpResponse:
        """List the milestones, the newest first."""
        milestones = Milestone.objects.filter(project_id=find_project(key, user=self.user).id)
        return self.page(milestones, rows=self._rows, sorts=SORTS, default="-created_at")

    @operation(request=MilestoneBody, response=MilestoneShape, status=201, statuses=(409,))
    def post(self, request: Request, key: str) -> HttpResponse:
        """Add a milestone. A name that is taken, in any case, is a conflict."""
        project = find_managed_project(key, user=self.user)
        made = create_milestone(project.id, by=self.caller, **self.body(MilestoneBody))
        return self.created(milestone_rows([made], user=self.user)[0])

    def _rows(self, found: QuerySet[Any], extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        milestones = list(found)
        rows = milestone_rows(milestones, user=self.user)
        return [
            (row, tuple(getattr(milestone, name) for name in extra))
            for row, milestone in zip(rows, milestones, strict=True)
        ]


class MilestoneView(ApiView):
    """One milestone."""

    @operation(response=MilestoneShape)
    def get(self, request: Request, key: str, milestone_id: uuid.UUID) -> HttpResponse:
        """Return a milestone."""
        milestone = _find(find_project(key, user=self.user).id, milestone_id)
        return self.ok(milestone_rows([milestone], user=self.user)[0])

    @operation(request=MilestoneBody, response=MilestoneShape, statuses=(409,))
    def put(self, request: Request, key: str, milestone_id: uuid.UUID) -> HttpResponse:
        """Change a milestone; optional fields that are left out keep their value."""
        return self.patch(request, key, milestone_id)

    @operation(request=MilestoneBody, response=MilestoneShape, statuses=(409,))
    def patch(self, request: Request, key: str, milestone_id: uuid.UUID) -> HttpResponse:
        """Change the fields that are sent."""
        milestone = _find(find_project(key, user=self.user).id, milestone_id)
        project = find_managed_project(key, user=self.user)
        changes = self.body(MilestoneBody)
        changed = edit_milestone(project.id, milestone.pk, by=self.caller, changes=changes)
        return self.ok(milestone_rows([changed], user=self.user)[0])

    @operation(statuses=(409,))
    def delete(self, request: Request, key: str, milestone_id: uuid.UUID) -> HttpResponse:
        """Delete a milestone; it goes off its issues, each with an event of its own."""
        delete_milestone(find_project(key, user=self.user).id, milestone_id, by=self.caller)
        return self.none()


def _find(project_id: uuid.UUID, milestone_id: uuid.UUID) -> Milestone:
    milestone = Milestone.objects.filter(project_id=project_id, pk=milestone_id).first()
    if milestone is None:
        raise NotFound
    return milestone
