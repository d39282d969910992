"""The workflow of a project."""

from django.http import HttpResponse
from rest_framework.request import Request

from issues.api.project_bodies import WorkflowBody
from issues.api.project_shapes import Workflow
from issues.api.projects import find_managed_project
from issues.project_rows import find_project, workflow_row
from issues.services.workflows import replace_workflow
from tracker.api.operations import operation
from tracker.api.views import ApiView


class WorkflowView(ApiView):
    """Statuses and the steps between them."""

    @operation(response=Workflow)
    def get(self, request: Request, key: str) -> HttpResponse:
        """Return the workflow of a project."""
        return self.ok(workflow_row(find_project(key, user=self.user).id, user=self.user))

    @operation(request=WorkflowBody, response=Workflow, statuses=(409,))
    def put(self, request: Request, key: str) -> HttpResponse:
        """Replace the workflow. A status that issues still have needs a move, else 409."""
        project = find_managed_project(key, user=self.user)
        body = self.body(WorkflowBody)
        replace_workflow(
            project.id,
            by=self.caller,
            initial=body["initial"],
            statuses=body["statuses"],
            transitions=body["transitions"],
            moves=body.get("moves"),
            expected_version=body.get("version"),
        )
        return self.ok(workflow_row(project.id, user=self.user))
