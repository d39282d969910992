"""The pages of projects and issues."""

from django.urls import path

from issues.views import (
    attachments,
    bulk,
    comments,
    issues,
    labels,
    listing,
    milestones,
    moving,
    projects,
    statuses,
    teams,
)

app_name = "issues"

urlpatterns = [
    path("issues/", listing.index, name="list"),
    path("issues/new/", issues.new, name="new"),
    path("issues/bulk/", bulk.change, name="bulk"),
    path("issues/<str:ref>/", issues.show, name="show"),
    path("issues/<str:ref>/edit/", issues.edit, name="edit"),
    path("issues/<str:ref>/status/", statuses.change, name="status"),
    path("issues/<str:ref>/move/", moving.move, name="move"),
    path("issues/<str:ref>/take/", issues.take, name="take"),
    path("issues/<str:ref>/trash/", issues.trash, name="trash"),
    path("issues/<str:ref>/restore/", issues.restore, name="restore"),
    path("issues/<str:ref>/attachments/", attachments.add, name="attachment-add"),
    path(
        "issues/<str:ref>/attachments/<uuid:attachment_id>/rename/",
        attachments.rename,
        name="attachment-rename",
    ),
    path(
        "issues/<str:ref>/attachments/<uuid:attachment_id>/delete/",
        attachments.delete,
        name="attachment-delete",
    ),
    path("issues/<str:ref>/comments/", comments.add, name="comment-add"),
    path("issues/<str:ref>/comments/<uuid:comment_id>/edit/", comments.edit, name="comment-edit"),
    path("issues/<str:ref>/comments/<uuid:comment_id>/delete/", comments.delete, name="comment-delete"),
    path("teams/", teams.index, name="teams"),
    path("teams/<uuid:team_id>/", teams.show, name="team"),
    path("teams/<uuid:team_id>/delete/", teams.delete, name="team-delete"),
    path("teams/<uuid:team_id>/members/", teams.add_member, name="team-member-add"),
    path(
        "teams/<uuid:team_id>/members/<uuid:user_id>/remove/", teams.remove_member, name="team-member-remove"
    ),
    path("projects/", projects.index, name="projects"),
    path("projects/new/", projects.new, name="project-new"),
    path("projects/<str:key>/", projects.show, name="project"),
    path("projects/<str:key>/settings/", projects.settings, name="project-settings"),
    path("projects/<str:key>/archive/", projects.archive, name="project-archive"),
    path("projects/<str:key>/unarchive/", projects.unarchive, name="project-unarchive"),
    path("projects/<str:key>/labels/", labels.add, name="label-add"),
    path("projects/<str:key>/labels/<uuid:label_id>/", labels.edit, name="label-edit"),
    path("projects/<str:key>/labels/<uuid:label_id>/delete/", labels.delete, name="label-delete"),
    path("projects/<str:key>/milestones/", milestones.add, name="milestone-add"),
    path("projects/<str:key>/milestones/<uuid:milestone_id>/", milestones.edit, name="milestone-edit"),
    path(
        "projects/<str:key>/milestones/<uuid:milestone_id>/delete/",
        milestones.delete,
        name="milestone-delete",
    ),
]
