"""Comments: written under the lock of their issue, which keeps its version."""

import uuid
from typing import Any, Final

from django.db import transaction

from issues import policy
from issues.catalog import catalog
from issues.models import Comment, Issue
from issues.refs import IssueRef
from issues.scope import scope_of
from issues.services.activity import require_active
from issues.services.issues import lock_issue, moment_of
from issues.services.parts import lock_part
from issues.services.search_documents import index_comment, index_issues
from issues.services.texts import clean_text
from tracker.caller import Caller
from tracker.errors import Invalid
from tracker.events.record import record
from tracker.versions import versions_of

MAX_DEPTH: Final = 8


@transaction.atomic
def add_comment(
    ref: IssueRef, *, by: Caller, body: str, parent_id: uuid.UUID | None = None, internal: bool = False
) -> Comment:
    """Comment on an issue, or answer a comment of it; an answer to an internal comment is internal.

    Raises `NotFound` (issue), `NotAllowed`, `Invalid` (body, parent), `Conflict` (archived).
    """
    return comment_on_locked(lock_issue(ref, by=by), by=by, body=body, parent_id=parent_id, internal=internal)


def comment_on_locked(
    issue: Issue, *, by: Caller, body: str, parent_id: uuid.UUID | None = None, internal: bool = False
) -> Comment:
    """Do what `add_comment` does on an issue that the caller sees and whose row is locked."""
    scope = scope_of(by.user)
    policy.require(
        allowed=policy.can_comment(scope, internal=internal),
        message="You may not write this comment.",
        fields={"internal": True} if internal else None,
    )
    text = clean_text(body, field="body", required=True)
    parent = _parent(parent_id, issue=issue, by=by) if parent_id else None
    internal = internal or bool(parent and parent.internal)
    policy.require(
        allowed=policy.can_comment(scope, internal=internal), message="You may not write this comment."
    )
    require_active(issue)
    moment = moment_of(issue, by=by)
    comment = Comment.objects.create(
        issue=issue, author_id=by.actor.pk, parent=parent, body=text, internal=internal, created_at=moment
    )
    index_comment(comment)
    _tell(comment, issue, by=by, verb="comment.added")
    return comment


@transaction.atomic
def edit_comment(comment_id: uuid.UUID, *, by: Caller, body: str) -> Comment:
    """Change one's own comment; the same text changes nothing. Raises as `add_comment`."""
    comment, issue = _locked(comment_id, by=by)
    policy.require(
        allowed=policy.can_edit_comment(scope_of(by.user), comment),
        message="Only the author may edit a comment.",
    )
    text = clean_text(body, field="body", required=True)
    if text == comment.body:
        return comment
    require_active(issue)
    comment.body, comment.edited_at = text, moment_of(issue, by=by)
    comment.save(update_fields=["body", "edited_at"])
    index_issues([issue.pk])
    _tell(comment, issue, by=by, verb="comment.edited")
    return comment


@transaction.atomic
def delete_comment(comment_id: uuid.UUID, *, by: Caller) -> None:
    """Take a comment away; where it has answers an empty row stays in its place.

    Raises `NotFound`, `NotAllowed`, `Conflict` (archived).
    """
    comment, issue = _locked(comment_id, by=by)
    policy.require(
        allowed=policy.can_delete_comment(scope_of(by.user), comment),
        message="You may not delete this comment.",
    )
    require_active(issue)
    comment.deleted_at = moment_of(issue, by=by)
    comment.save(update_fields=["deleted_at"])
    index_issues([issue.pk])
    _tell(comment, issue, by=by, verb="comment.deleted")


def _locked(comment_id: uuid.UUID, *, by: Caller) -> tuple[Comment, Issue]:
    """Return a visible comment that is not deleted, and its issue, with the issue's row locked."""
    found = Comment.objects.visible_to(by.user).filter(pk=comment_id, deleted_at__isnull=True)
    return lock_part(found, by=by)


def _parent(parent_id: uuid.UUID, *, issue: Issue, by: Caller) -> Comment:
    parent: Any = Comment.objects.visible_to(by.user).filter(pk=parent_id, issue=issue).first()
    if parent is None:
        raise Invalid(fields={"parent": ["There is no such comment on this issue."]})
    depth, above = 1, parent
    while above.parent_id is not None:
        depth, above = depth + 1, above.parent
        if depth >= MAX_DEPTH:
            raise Invalid(fields={"parent": [f"Answers may be nested at most {MAX_DEPTH} deep."]})
    return parent  # type: ignore[no-any-return]


def _tell(comment: Comment, issue: Issue, *, by: Caller, verb: str) -> None:
    issue.activity_at = max(issue.activity_at, moment_of(issue, by=by))
    issue.save(update_fields=["activity_at"])
    project = catalog(versions_of(by.user)).projects[issue.project_id]
    record(
        by=by,
        verb=verb,
        project_id=issue.project_id,
        issue_id=issue.pk,
        issue_key=f"{project.key}-{issue.number}",
        version=issue.version,
        subject_id=comment.pk,
        internal=comment.internal,
        at=comment.deleted_at or comment.edited_at or comment.created_at,
    )
