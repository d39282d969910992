"""Keeps what the search knows of issues: written in the transaction of each change of a text.

Callers hold the lock of the issue (or have just made it). A change that touches no text writes nothing here;
neither do the trash and a move, which the reader's scope takes care of.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import transaction

from issues.models import Comment, Issue
from issues.search.backend import backend
from issues.search.documents import Document, Remark

BATCH: Final = 200
MOST_CHARACTERS: Final = 2_000_000
"""Of an issue's comments, the oldest first; a document holds less. What is beyond is not read into memory."""


def index_documents(documents: Sequence[Document]) -> None:
    """Write the whole text of issues. On PostgreSQL one statement for all of them."""
    backend().store(documents)


def preparer() -> Callable[[Document], Any]:
    """Return what makes of a document what `index_new` takes; its issue may be any."""
    return backend().prepare


def index_new(documents: Iterable[tuple[uuid.UUID | str, Any]]) -> None:
    """Write the prepared text of issues that were made in this transaction. On PostgreSQL one COPY."""
    backend().store_new(documents)


def index_issues(issue_ids: Iterable[uuid.UUID]) -> None:
    """Write the text of issues as the database has it now; two queries to read it."""
    ids = list(issue_ids)
    remarks: dict[uuid.UUID, list[Remark]] = defaultdict(list)
    room: dict[uuid.UUID, int] = dict.fromkeys(ids, MOST_CHARACTERS)
    comments = Comment.objects.filter(issue__in=ids, deleted_at__isnull=True).order_by("created_at", "id")
    for issue_id, body, internal in comments.values_list("issue_id", "body", "internal").iterator():
        room[issue_id] -= len(body)
        if room[issue_id] >= 0:
            remarks[issue_id].append(Remark(body, internal))
    rows = Issue.objects.filter(pk__in=ids).values_list("pk", "title", "description")
    index_documents([Document(pk, title, text, remarks[pk]) for pk, title, text in rows])


def index_comment(comment: Comment) -> None:
    """Add a new comment to the text of its issue, in one statement."""
    backend().append(comment.issue_id, Remark(comment.body, comment.internal))


def forget_issues(issue_ids: Iterable[uuid.UUID]) -> None:
    """Forget issues that are about to be deleted for good."""
    backend().remove(issue_ids)


def ensure_search() -> int:
    """Make what the search lacks, and the documents of issues that it does not know; return how many."""
    return rebuild() if backend().repair() else index_missing()


def index_missing() -> int:
    """Write the text of issues that the search does not know, in batches; return how many."""
    total = 0
    missing = Issue.objects.filter(search_document__isnull=True).order_by("pk").values_list("pk", flat=True)
    while ids := list(missing[:BATCH]):
        total += _index_locked(ids)
    return total


def rebuild() -> int:
    """Write the text of every issue anew, in batches, each in a transaction of its own; return how many."""
    total, last = 0, uuid.UUID(int=0)
    while ids := list(Issue.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        total += _index_locked(ids)
        last = ids[-1]
    return total


@transaction.atomic
def _index_locked(ids: Sequence[uuid.UUID]) -> int:
    rows = Issue.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    locked = list(rows.values_list("pk", flat=True))
    index_issues(locked)
    return len(locked)
