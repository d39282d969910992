"""Parts of an issue, such as comments and files: they are changed under the lock of their issue."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from issues.models import Issue
from issues.services.issues import lock_issue
from tracker.caller import Caller
from tracker.errors import NotFound

Part = TypeVar("Part", bound=Model)


def lock_part(found: QuerySet[Part], *, by: Caller) -> tuple[Part, Issue]:
    """Return the one row of a queryset that is scoped to the caller, and its issue with that row locked.

    The part is read again under the lock. Raises `NotFound`, also where it went meanwhile.
    """
    issue_id = found.values_list("issue_id", flat=True).first()
    if issue_id is None:
        raise NotFound
    issue = lock_issue(issue_id, by=by)
    part = found.first()
    if part is None:
        raise NotFound
    return part, issue
