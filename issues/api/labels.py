"""The labels of a project, by id."""

import uuid
from typing import Final

from django.http import HttpResponse
from rest_framework.request import Request

from issues import policy
from issues.api.project_bodies import LabelBody
from issues.api.project_shapes import Label as LabelShape
from issues.models import Label
from issues.project_rows import find_project, label_row
from issues.scope import scope_of
from issues.services.labels import create_label, delete_label, edit_label
from tracker.api.operations import operation
from tracker.api.pagination import SortKey, rows_of_objects
from tracker.api.views import ApiView
from tracker.errors import NotFound

SORTS: Final = {"created_at": SortKey("id"), "name": SortKey("name")}


class LabelsView(ApiView):
    """The labels of one project."""

    @operation(response=LabelShape, paginated=True, sorts=tuple(SORTS))
    def get(self, request: Request, key: str) -> HttpResponse:
        """List the labels, the newest first."""
        labels = Label.objects.filter(project_id=find_project(key, user=self.user).id)
        return self.page(labels, rows=rows_of_objects(label_row), sorts=SORTS, default="-created_at")

    @operation(request=LabelBody, response=LabelShape, status=201, statuses=(409,))
    def post(self, request: Request, key: str) -> HttpResponse:
        """Add a label. A name that is taken, in any case, is a conflict."""
        project = find_project(key, user=self.user)
        allowed = policy.can_create_label(scope_of(self.user), project.id)
        policy.require(allowed=allowed, message="You may not create labels.")
        return self.created(label_row(create_label(project.id, by=self.caller, **self.body(LabelBody))))


class LabelView(ApiView):
    """One label."""

    @operation(response=LabelShape)
    def get(self, request: Request, key: str, label_id: uuid.UUID) -> HttpResponse:
        """Return a label."""
        return self.ok(label_row(self._find(key, label_id)))

    @operation(request=LabelBody, response=LabelShape, statuses=(409,))
    def put(self, request: Request, key: str, label_id: uuid.UUID) -> HttpResponse:
        """Change a label; optional fields that are left out keep their value."""
        return self.patch(request, key, label_id)

    @operation(request=LabelBody, response=LabelShape, statuses=(409,))
    def patch(self, request: Request, key: str, label_id: uuid.UUID) -> HttpResponse:
        """Change the fields that are sent."""
        label = self._find(key, label_id)
        allowed = policy.can_manage_labels(scope_of(self.user), label.project_id)
        policy.require(allowed=allowed, message="You may not change labels.")
        changes = self.body(LabelBody)
        return self.ok(label_row(edit_label(label.project_id, label.pk, by=self.caller, changes=changes)))

    @operation(statuses=(409,))
    def delete(self, request: Request, key: str, label_id: uuid.UUID) -> HttpResponse:
        """Delete a label; it goes off its issues, each with an event of its own."""
        delete_label(find_project(key, user=self.user).id, label_id, by=self.caller)
        return self.none()

    def _find(self, key: str, label_id: uuid.UUID) -> Label:
        project = find_project(key, user=self.user)
        label = Label.objects.filter(project_id=project.id, pk=label_id).first()
        if label is None:
            raise NotFound
        return label
