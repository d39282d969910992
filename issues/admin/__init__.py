"""The admin pages of projects, their workflows and teams, and the audit."""

from issues.admin.audit import AuditAdmin
from issues.admin.projects import ProjectAdmin
from issues.admin.teams import ProjectTeamAdmin

__all__ = ["AuditAdmin", "ProjectAdmin", "ProjectTeamAdmin"]
