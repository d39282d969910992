"""Comments: those of an issue, and one by its id."""

import uuid
from typing import Any, Final

from django.http import HttpResponse
from rest_framework.request import Request

from issues import policy
from issues.api.bodies import CommentBody
from issues.api.issues import OneIssueView
from issues.api.reading import comments_of, visible_issue
from issues.api.shapes import Comment as CommentShape
from issues.history_rows import comment_rows, shown_comments
from issues.models import Comment
from issues.refs import parse_uuid
from issues.rows import Row
from issues.scope import scope_of
from issues.services.comments import add_comment, delete_comment, edit_comment
from tracker.api.operations import operation
from tracker.api.pagination import Rows, SortKey
from tracker.api.views import ApiView
from tracker.errors import Invalid, NotFound

SORTS: Final = {"created_at": SortKey("created_at")}


class CommentsView(OneIssueView):
    """The comments of an issue, flat, the oldest first."""

    @operation(
        response=CommentShape, paginated=True, sorts=tuple(SORTS), summary="List the comments of an issue"
    )
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return a page of comments."""
        issue = visible_issue(ref, user=self.user)
        return self.page(
            comments_of(issue, user=self.user).select_related("issue"),
            rows=_rows_for(self.user),
            sorts=SORTS,
            default="created_at",
        )

    @operation(
        request=CommentBody, response=CommentShape, status=201, statuses=(409,), summary="Comment on an issue"
    )
    def post(self, _request: Request, ref: str) -> HttpResponse:
        """Write a comment, or an answer to one."""
        sent = self.checked(
            ref,
            lambda: self._sent(),
            is_allowed=lambda scope, _issue: policy.can_comment(scope, internal=False),
        )
        comment = add_comment(
            ref,
            by=self.caller,
            body=sent["body"],
            parent_id=sent.get("parent"),
            internal=sent.get("internal", False),
        )
        (row,) = comment_rows([comment], user=self.user)
        return self.created(row, location=f"/api/v1/comments/{row['id']}")

    def _sent(self) -> Row:
        _ = self.query
        return _with_parent(self.body(CommentBody))


class CommentView(ApiView):
    """One comment."""

    @operation(response=CommentShape, summary="Read a comment")
    def get(self, _request: Request, comment_id: str) -> HttpResponse:
        """Return the comment."""
        comment = self._comment(comment_id)
        _ = self.query
        return self._reply(comment)

    @operation(request=CommentBody, response=CommentShape, statuses=(409,), summary="Replace a comment")
    def put(self, _request: Request, comment_id: str) -> HttpResponse:
        """Change the text."""
        return self._edit(comment_id)

    @operation(request=CommentBody, response=CommentShape, statuses=(409,), summary="Change a comment")
    def patch(self, _request: Request, comment_id: str) -> HttpResponse:
        """Change the text."""
        return self._edit(comment_id)

    @operation(response=None, statuses=(409,), summary="Delete a comment")
    def delete(self, _request: Request, comment_id: str) -> HttpResponse:
        """Delete the comment; where it has answers an empty row stays."""
        key = parse_uuid(comment_id)
        if key is None:
            raise NotFound
        delete_comment(key, by=self.caller)
        return self.none()

    def _edit(self, comment_id: str) -> HttpResponse:
        comment = self._comment(comment_id)
        policy.require(
            allowed=policy.can_edit_comment(scope_of(self.user), comment),
            message="Only the author may edit a comment.",
        )
        _ = self.query
        sent = _with_parent(self.body(CommentBody))
        fixed = {"parent": comment.parent_id, "internal": comment.internal}
        changed = [name for name, value in fixed.items() if name in sent and sent[name] != value]
        if changed:
            raise Invalid(fields={name: ["This is fixed when the comment is written."] for name in changed})
        if "body" in sent:
            edited = edit_comment(comment.pk, by=self.caller, body=sent["body"])
            edited.issue = comment.issue
            return self._reply(edited)
        return self._reply(comment)

    def _comment(self, comment_id: str) -> Comment:
        key = parse_uuid(comment_id)
        visible = Comment.objects.visible_to(self.user).filter(pk=key) if key else Comment.objects.none()
        found: Comment | None = shown_comments(visible, user=self.user).select_related("issue").first()
        if found is None:
            raise NotFound
        return found

    def _reply(self, comment: Comment) -> HttpResponse:
        (row,) = comment_rows([comment], user=self.user)
        return self.ok(row)


def _rows_for(user: Any) -> Rows:
    def build(queryset: Any, extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        comments = list(queryset)
        places = [tuple(getattr(comment, name) for name in extra) for comment in comments]
        return list(zip(comment_rows(comments, user=user), places, strict=True))

    return build


def _with_parent(sent: Row) -> Row:
    if sent.get("parent") is None:
        return sent
    parent: uuid.UUID | None = parse_uuid(sent["parent"])
    if parent is None:
        raise Invalid(fields={"parent": ["There is no such comment on this issue."]})
    return {**sent, "parent": parent}
