"""Attachments: the file is stored first, then its row is written under the lock of the issue.

A file whose row was not written is deleted at once; what a crash leaves of it the daily cleaning finds.
"""

import uuid
from datetime import datetime

from django.db import transaction

from issues import policy
from issues.catalog import catalog
from issues.models import Attachment, Issue, Thumbnail
from issues.refs import IssueRef, find_issue
from issues.scope import scope_of
from issues.services.activity import require_active
from issues.services.issues import lock_issue, moment_of
from issues.services.parts import lock_part
from tracker import clock
from tracker.caller import Caller
from tracker.durable import tell_after_commit
from tracker.errors import Invalid
from tracker.events.record import record
from tracker.files.kinds import INLINE, find_kind, require_accepted
from tracker.files.names import clean_filename, name_or_default
from tracker.files.storage import drop, drop_after_commit, store
from tracker.files.uploads import Upload
from tracker.versions import versions_of

FOLDER = "attachments"
_ATTACH = "You may not attach files."
_CHANGE = "Only who attached a file, or who manages all, may change it."


def add_attachment(ref: IssueRef, *, by: Caller, upload: Upload) -> Attachment:
    """Attach a file to an issue. Its type is found from its content.

    Writes the file outside of the transaction that writes the row. Raises `NotFound`, `NotAllowed`,
    `Invalid` (empty, too many pixels), `Unsupported` (type), `Conflict` (archived), `Unavailable` (no room).
    """
    issue = find_issue(ref, user=by.user, among=Issue.objects.visible_to(by.user))
    policy.require(allowed=policy.can_attach(scope_of(by.user)), message=_ATTACH)
    if not upload.size:
        raise Invalid(fields={"file": ["The file is empty."]})
    kind = find_kind(upload)
    require_accepted(kind)
    attachment = Attachment(
        issue=issue,
        author_id=by.actor.pk,
        filename=name_or_default(upload.name or ""),
        size_bytes=upload.size,
        content_type=kind.content_type,
        sha256=upload.sha256,
        key=store(upload, folder=FOLDER),
    )
    try:
        return _insert(attachment, by=by)
    except BaseException:
        drop([attachment.key])
        raise


@transaction.atomic
def rename_attachment(attachment_id: uuid.UUID, *, by: Caller, filename: str) -> Attachment:
    """Give an attachment another name; the same one changes nothing. Raises as `add_attachment`."""
    attachment, issue = _locked(attachment_id, by=by)
    policy.require(allowed=policy.can_change_attachment(scope_of(by.user), attachment), message=_CHANGE)
    name = clean_filename(filename)
    if not name:
        raise Invalid(fields={"filename": ["This is no name for a file."]})
    if name == attachment.filename:
        return attachment
    require_active(issue)
    before, attachment.filename = attachment.filename, name
    attachment.save(update_fields=["filename"])
    _tell(attachment, issue, by=by, verb="attachment.renamed", change=[before, name])
    return attachment


@transaction.atomic
def delete_attachment(attachment_id: uuid.UUID, *, by: Caller) -> None:
    """Take an attachment away, and its file when that is committed.

    Raises `NotFound`, `NotAllowed`, `Conflict` (archived).
    """
    attachment, issue = _locked(attachment_id, by=by)
    policy.require(allowed=policy.can_change_attachment(scope_of(by.user), attachment), message=_CHANGE)
    require_active(issue)
    _remove(attachment)
    _tell(attachment, issue, by=by, verb="attachment.deleted", change=[attachment.filename, None])


@transaction.atomic
def delete_expired(attachment_id: uuid.UUID, *, closed_before: datetime) -> bool:
    """Delete an attachment whose issue is closed since before then; return whether it was still so.

    The system does this, not a person: also in archived projects and in the trash.
    """
    due = Attachment.objects.filter(pk=attachment_id)
    issue_id = due.values_list("issue_id", flat=True).first()
    issue = Issue.objects.select_for_update(of=("self",)).filter(pk=issue_id).first()
    if issue is None or issue.closed_at is None or issue.closed_at >= closed_before:
        return False
    attachment = due.first()
    if attachment is None:
        return False
    _remove(attachment)
    _tell(attachment, issue, by=None, verb="attachment.deleted", change=[attachment.filename, None])
    return True


def keys_of(attachment: Attachment) -> list[str]:
    """Return the keys of the files that belong to an attachment."""
    return [key for key in (attachment.key, attachment.thumbnail_key) if key]


@transaction.atomic
def _insert(attachment: Attachment, *, by: Caller) -> Attachment:
    issue = lock_issue(attachment.issue_id, by=by)
    policy.require(allowed=policy.can_attach(scope_of(by.user)), message=_ATTACH)
    require_active(issue)
    attachment.issue, attachment.created_at = issue, moment_of(issue, by=by)
    attachment.save(force_insert=True)
    if attachment.content_type in INLINE:
        tell_after_commit(Thumbnail.objects.create(attachment=attachment))
    change = [None, attachment.filename]
    _tell(attachment, issue, by=by, verb="attachment.added", change=change, at=attachment.created_at)
    return attachment


def _remove(attachment: Attachment) -> None:
    drop_after_commit(keys_of(attachment))
    Attachment.objects.filter(pk=attachment.pk).delete()


def _locked(attachment_id: uuid.UUID, *, by: Caller) -> tuple[Attachment, Issue]:
    """Return a visible attachment and its issue, with the issue's row locked."""
    found = Attachment.objects.visible_to(by.user).filter(pk=attachment_id)
    attachment, issue = lock_part(found, by=by)
    attachment.issue = issue
    return attachment, issue


def _tell(
    attachment: Attachment,
    issue: Issue,
    *,
    by: Caller | None,
    verb: str,
    change: list[str | None],
    at: datetime | None = None,
) -> None:
    moment = at or (moment_of(issue, by=by) if by else max(clock.now(), issue.activity_at))
    issue.activity_at = max(issue.activity_at, moment)
    issue.save(update_fields=["activity_at"])
    record(
        by=by,
        verb=verb,
        project_id=issue.project_id,
        issue_id=issue.pk,
        issue_key=f"{_project_key(issue, by=by)}-{issue.number}",
        version=issue.version,
        subject_id=attachment.pk,
        changes={"filename": change},
        at=moment,
    )


def _project_key(issue: Issue, *, by: Caller | None) -> str:
    if by is None:
        return str(issue.project.key)
    return catalog(versions_of(by.user)).projects[issue.project_id].key
