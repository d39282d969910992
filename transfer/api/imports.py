"""Imports: a file is sent, a worker reads it, the run tells how far it is, and can be undone."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from issues import policy
from issues.project_rows import find_project
from issues.scope import scope_of
from tracker.api.operations import operation
from tracker.api.views import ApiView
from tracker.errors import Invalid, NotFound
from transfer.api.bodies import ImportBody
from transfer.api.shapes import Import as ImportShape
from transfer.models import ImportFormat, ImportMode
from transfer.rows import import_row
from transfer.services.imports import begin_import, find_import, undo_import


class BeginImportView(ApiView):
    """Sending a file."""

    @operation(multipart=ImportBody, response=ImportShape, status=202, statuses=(409,))
    def post(self, request: Request) -> HttpResponse:
        """Import issues from a file.

        The answer comes at once; `imports/{id}` tells how far the run is. Without a project it is an admin's
        migration, whose rows name their projects.
        """
        self.require_upload()
        scope = scope_of(self.user)
        body = self.body(ImportBody)
        run = begin_import(
            by=self.caller,
            project_id=self._project_id(body.get("project"), may_leave_out=policy.can_migrate(scope)),
            format=body.get("format", ImportFormat.CSV),
            mode=body.get("mode", ImportMode.STRICT),
            dry_run=body.get("dry_run", False),
            mapping=body.get("mapping", {}),
            filename=str(body["file"].name or "file"),
            chunks=body["file"].chunks(),
        )
        return self.ok(import_row(run), status=202, location=f"/api/v1/imports/{run.pk}")

    def require_upload(self) -> None:
        """Refuse who may not import."""
        policy.require(allowed=scope_of(self.user).may("import_issues"), message="You may not import issues.")

    def _project_id(self, key: str | None, *, may_leave_out: bool) -> uuid.UUID | None:
        if key is None:
            if may_leave_out:
                return None
            raise Invalid(fields={"project": ["This field is required."]})
        try:
            return find_project(key, user=self.user).id
        except NotFound:
            raise Invalid(fields={"project": ["There is no such project."]}) from None


class ImportView(ApiView):
    """One run."""

    @operation(response=ImportShape)
    def get(self, request: Request, import_id: uuid.UUID) -> HttpResponse:
        """Return a run: how far it is, and what became of the file."""
        return self.ok(import_row(find_import(import_id, user=self.user)))


class UndoImportView(ApiView):
    """Taking a run back."""

    @operation(response=ImportShape, statuses=(409,))
    def post(self, request: Request, import_id: uuid.UUID) -> HttpResponse:
        """Put the issues that a run made into the trash, all or none.

        409 names those that somebody changed since. A large run is undone by a worker: its state is
        then `queued`.
        """
        return self.ok(import_row(undo_import(import_id, by=self.caller)))
