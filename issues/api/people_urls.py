"""The routes of teams and of the people of a project."""

from django.urls import path

from issues.api import directory, teams

urlpatterns = [
    path("users/directory/", directory.DirectoryView.as_view()),
    path("teams/", teams.TeamsView.as_view()),
    path("teams/<uuid:team_id>/", teams.TeamView.as_view()),
    path("teams/<uuid:team_id>/members/", teams.MembersView.as_view()),
    path("teams/<uuid:team_id>/members/<uuid:user_id>/", teams.MemberView.as_view()),
]
