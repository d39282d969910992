"""The routes of projects, issues and what belongs to them."""

from django.urls import path

from issues.api import (
    attachments,
    bulk,
    comments,
    events,
    issues,
    people_urls,
    project_urls,
    similar,
    timeline,
    transitions,
)

urlpatterns = [
    path("issues/", issues.IssuesView.as_view()),
    path("issues/my/", issues.MyIssuesView.as_view()),
    path("issues/search/", issues.SearchView.as_view()),
    path("issues/similar/", similar.SimilarView.as_view()),
    path("issues/key/<str:key>/", issues.IssueByKeyView.as_view()),
    path("issues/bulk/", bulk.BulkView.as_view()),
    path("issues/bulk-status/", bulk.BulkStatusView.as_view()),
    path("issues/<str:ref>/", issues.IssueView.as_view()),
    path("issues/<str:ref>/restore/", issues.RestoreView.as_view()),
    path("issues/<str:ref>/transitions/", transitions.TransitionsView.as_view()),
    path("issues/<str:ref>/comments/", comments.CommentsView.as_view()),
    path("issues/<str:ref>/timeline/", timeline.TimelineView.as_view()),
    path("issues/<str:ref>/history/", timeline.HistoryView.as_view()),
    path("issues/<str:ref>/attachments/", attachments.AttachmentsView.as_view()),
    path("attachments/<uuid:attachment_id>/", attachments.AttachmentView.as_view()),
    path("attachments/<uuid:attachment_id>/content/", attachments.ContentView.as_view()),
    path("comments/<str:comment_id>/", comments.CommentView.as_view()),
    path("events/", events.EventsView.as_view()),
    path("events/stream/", events.StreamView.as_view()),
    *people_urls.urlpatterns,
    *project_urls.urlpatterns,
]
