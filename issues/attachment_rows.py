"""Attachments as every reader gets them."""

from collections.abc import Iterable

from django.conf import settings

from accounts.models import User
from accounts.people import people
from issues.catalog import catalog
from issues.models import Attachment
from issues.rows import Row
from tracker.clock import iso
from tracker.versions import versions_of


def attachment_rows(attachments: Iterable[Attachment], *, user: User, key: str | None = None) -> list[Row]:
    """Return attachments as the API shows them. `key`: of their issue where they all have one.

    Without `key` the attachments come with their issue selected.
    """
    listed = list(attachments)
    versions = versions_of(user)
    names = people({each.author_id for each in listed}, versions=versions)
    projects = catalog(versions).projects
    return [
        {
            "id": str(each.pk),
            "issue": key or f"{projects[each.issue.project_id].key}-{each.issue.number}",
            "filename": each.filename,
            "size_bytes": each.size_bytes,
            "content_type": each.content_type,
            "sha256": each.sha256,
            "state": str(each.state),
            "author": names.get(each.author_id),
            "created_at": iso(each.created_at),
            "content_url": f"{settings.BASE_URL}{content_path(each)}",
            "thumbnail_url": f"{settings.BASE_URL}{thumbnail_path(each)}" if each.thumbnail_key else None,
        }
        for each in listed
    ]


def content_path(attachment: Attachment) -> str:
    """Return the path under which the file is read."""
    return f"/api/v1/attachments/{attachment.pk}/content"


def thumbnail_path(attachment: Attachment) -> str:
    """Return the path under which the thumbnail is read, where there is one."""
    return f"{content_path(attachment)}?variant=thumbnail"
