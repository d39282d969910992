"""The one way to read issues, comments and attachments: scoped to who asks."""

from typing import Any

from django.db import models


class IssueQuerySet(models.QuerySet[Any]):
    """Issues, scoped to who asks."""

    def visible_to(self, user: Any, *, trashed: bool = False) -> "IssueQuerySet":
        """Return what this person may see. `trashed`: the trash instead, for who may see that."""
        from issues.scope import scope_of  # the scope reads the models, which have this queryset

        scope = scope_of(user)
        if scope.user_id is None or (trashed and not scope.may("trash_issue")):
            return self.none()
        return self.filter(scope.issues_q(), trashed_at__isnull=not trashed)

    def visible_or_trashed_to(self, user: Any) -> "IssueQuerySet":
        """Return what this person may see, with the trash where they may see that."""
        from issues.scope import scope_of  # see above

        scope = scope_of(user)
        if scope.user_id is None:
            return self.none()
        found = self.filter(scope.issues_q())
        return found if scope.may("trash_issue") else found.filter(trashed_at__isnull=True)

    def open(self) -> "IssueQuerySet":
        """Those whose status is neither done nor canceled."""
        from issues.models import CLOSED_CATEGORIES  # see above

        return self.exclude(status__category__in=CLOSED_CATEGORIES)


class CommentQuerySet(models.QuerySet[Any]):
    """Comments, scoped to who asks."""

    def visible_to(self, user: Any) -> "CommentQuerySet":
        """Comments of visible issues; internal ones only for who may read them."""
        from issues.scope import scope_of  # see above

        scope = scope_of(user)
        if scope.user_id is None:
            return self.none()
        found = self.filter(scope.issues_q(prefix="issue__"), issue__trashed_at__isnull=True)
        return found if scope.reads_internal else found.filter(internal=False)


class AttachmentQuerySet(models.QuerySet[Any]):
    """Attachments, scoped to who asks."""

    def visible_to(self, user: Any) -> "AttachmentQuerySet":
        """Attachments of visible issues."""
        from issues.scope import scope_of  # see above

        scope = scope_of(user)
        if scope.user_id is None:
            return self.none()
        return self.filter(scope.issues_q(prefix="issue__"), issue__trashed_at__isnull=True)
