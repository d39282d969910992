"""The admin pages of teams, once more: a team that goes is taken off its issues and projects first."""

from typing import Any

from django.contrib import admin

from accounts.admin import TeamAdmin
from accounts.models import Team
from issues.services.project_teams import delete_team
from tracker.caller import Caller

admin.site.unregister(Team)


@admin.register(Team)
class ProjectTeamAdmin(TeamAdmin):
    """Teams; what their issues and projects lose with one is in the log."""

    def delete(self, row: Any, *, by: Caller) -> None:
        """Delete it, by the service that knows of issues and projects."""
        delete_team(row.pk, by=by)
