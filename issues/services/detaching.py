"""Takes what is deleted off the issues that have it, each with an event of its own."""

import uuid
from collections.abc import Iterable

from django.db.models import Q

from issues.models import Issue, IssueLabel, Label
from issues.services.fields import setting, stored
from issues.services.issues import write_changes
from tracker.caller import Caller
from tracker.errors import Conflict


def lock_issues(project_id: uuid.UUID, condition: Q) -> list[Issue]:
    """Lock and return a project's issues of a condition, by their ids, those in the trash too."""
    ids = Issue.objects.filter(condition, project_id=project_id).values("pk")
    found = Issue.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    return [issue for issue in found if issue.project_id == project_id]  # one may have moved away meanwhile


def require_locked(project_id: uuid.UUID, condition: Q, *, locked: Iterable[Issue]) -> None:
    """Raise `Conflict` where issues of a condition came after `lock_issues`: they would change unlocked."""
    now = set(Issue.objects.filter(condition, project_id=project_id).values_list("pk", flat=True))
    if not now <= {issue.pk for issue in locked}:
        raise Conflict("Somebody just used it; try again.")


def detach_label(issues: Iterable[Issue], label: Label, *, by: Caller) -> None:
    """Take a label off locked issues that have it. Raises `Conflict` where others have it by now."""
    issues = list(issues)
    require_locked(label.project_id, Q(issue_labels__label=label), locked=issues)
    at = setting(by, label.project_id)
    for issue in issues:
        before = stored(issue, "labels")
        after = tuple(label_id for label_id in before if label_id != label.pk)
        if after != before:
            write_changes(issue, at, before={"labels": before}, after={"labels": after})
    IssueLabel.objects.filter(label=label).delete()


def detach(issues: Iterable[Issue], field: str, *, by: Caller) -> None:
    """Empty `milestone` or `cycle` of locked issues that have one."""
    for issue in issues:
        before = stored(issue, field)
        if before is not None:
            write_changes(issue, setting(by, issue.project_id), before={field: before}, after={field: None})
