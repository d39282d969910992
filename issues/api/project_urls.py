"""The routes of projects and what hangs on them."""

from typing import Final

from django.urls import URLPattern, path

from issues.api.labels import LabelsView, LabelView
from issues.api.milestones import MilestonesView, MilestoneView
from issues.api.projects import ProjectsView, ProjectView
from issues.api.workflows import WorkflowView

urlpatterns: Final[list[URLPattern]] = [
    path("projects/", ProjectsView.as_view(), name="api-projects"),
    path("projects/<str:key>/", ProjectView.as_view(), name="api-project"),
    path("projects/<str:key>/workflow/", WorkflowView.as_view(), name="api-workflow"),
    path("projects/<str:key>/labels/", LabelsView.as_view(), name="api-labels"),
    path("projects/<str:key>/labels/<uuid:label_id>/", LabelView.as_view(), name="api-label"),
    path("projects/<str:key>/milestones/", MilestonesView.as_view(), name="api-milestones"),
    path("projects/<str:key>/milestones/<uuid:milestone_id>/", MilestoneView.as_view(), name="api-milestone"),
]
