"""Readings of projects."""

from typing import Any

from django.db import models


class ProjectQuerySet(models.QuerySet[Any]):
    """Projects, scoped to who asks."""

    def visible_to(self, user: Any) -> "ProjectQuerySet":
        """Internal ones and those of one's teams or lead; all for who sees private ones; none for nobody."""
        from issues.scope import scope_of  # the scope reads the models, which have this queryset

        scope = scope_of(user)
        if scope.user_id is None:
            return self.none()
        return self.filter(scope.projects_q("pk"))

    def active(self) -> "ProjectQuerySet":
        """Those that are not archived."""
        return self.filter(archived_at__isnull=True)
