"""The files on an issue as its page shows them."""

from dataclasses import dataclass
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from issues import policy
from issues.attachment_rows import attachment_rows, content_path, thumbnail_path
from issues.models import Attachment
from issues.scope import scope_of
from issues.views.found import Found
from issues.views.moments import Moments

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment as the page of its issue shows it. `thumbnail`: the path of one, or ""."""

    id: str
    name: str
    path: str
    thumbnail: str
    size: str
    content_type: str
    person: str
    when: SafeString | str
    may_change: bool


def shown_attachments(found: Found, *, user: Any, moments: Moments) -> list[Shown]:
    """Return the files of an issue, the oldest first; one query. The trash shows none."""
    attachments = Attachment.objects.visible_to(user).filter(issue=found.issue)
    listed, scope = list(attachments.order_by("created_at", "pk")[:MOST_SHOWN]), scope_of(user)
    return [
        Shown(
            id=row["id"],
            name=each.filename,
            path=content_path(each),
            thumbnail=thumbnail_path(each) if each.thumbnail_key else "",
            size=filesizeformat(each.size_bytes),
            content_type=each.content_type,
            person=row["author"]["name"] if row["author"] else "",
            when=moments.time(each.created_at),
            may_change=found.is_active and policy.can_change_attachment(scope, each),
        )
        for each, row in zip(listed, attachment_rows(listed, user=user, key=found.key), strict=True)
    ]
