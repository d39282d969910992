"""Comments: written under the timeline, edited and deleted on pages of their own."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from issues import markdown, policy
from issues.forms.comment import CommentForm
from issues.models import Comment
from issues.scope import scope_of
from issues.services.comments import add_comment, delete_comment, edit_comment
from issues.views.callers import REFUSALS, caller_of, person, status_of
from issues.views.details import quoted_comment
from issues.views.found import Found, found_issue, issue_path
from issues.views.issues import issue_context
from issues.views.timeline import skip_to
from tracker.errors import NotAllowed, NotFound
from tracker.web.errors import add_to_form


@login_required
@require_POST
def add(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Comment on an issue, or answer a comment."""
    found, user = found_issue(request, ref), person(request)
    form = CommentForm(request.POST, may_be_internal=policy.can_comment(scope_of(user), internal=True))
    if not form.is_valid():
        return _refused(request, found, form, status=400)
    sent = form.cleaned_data
    try:
        comment = add_comment(
            found.issue.pk,
            by=caller_of(request),
            body=sent["body"],
            parent_id=sent["parent"],
            internal=sent.get("internal", False),
        )
    except REFUSALS as error:
        add_to_form(form, error)
        return _refused(request, found, form, status=status_of(error))
    return redirect(f"{issue_path(found.key)}#comment-{comment.pk}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ref: str, comment_id: uuid.UUID) -> HttpResponseBase:
    """Change one's own comment."""
    found = found_issue(request, ref)
    comment = _comment_of(found, comment_id, user=person(request))
    if not policy.can_edit_comment(scope_of(person(request)), comment):
        raise NotAllowed(_("Only the author may edit a comment."))
    status = 200
    form = CommentForm(request.POST or None, may_be_internal=False, initial={"body": comment.body})
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                edit_comment(comment.pk, by=caller_of(request), body=form.cleaned_data["body"])
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(_place_of(comment, found, user=person(request)))
    context = _context(found, comment) | {"form": form}
    return render(request, "issues/comments/edit.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, ref: str, comment_id: uuid.UUID) -> HttpResponseBase:
    """Delete a comment, after a page that shows it once more."""
    found = found_issue(request, ref)
    comment = _comment_of(found, comment_id, user=person(request))
    if not policy.can_delete_comment(scope_of(person(request)), comment):
        raise NotAllowed(_("You may not delete this comment."))
    if request.method == "POST":
        delete_comment(comment.pk, by=caller_of(request))
        messages.success(request, _("The comment is deleted."))
        return redirect(issue_path(found.key))
    context = _context(found, comment) | {"body": markdown.render(comment.body)}
    return render(request, "issues/comments/delete.html", context)


def _comment_of(found: Found, comment_id: uuid.UUID, *, user: Any) -> Comment:
    visible = Comment.objects.visible_to(user).filter(
        issue=found.issue, pk=comment_id, deleted_at__isnull=True
    )
    comment: Comment | None = visible.first()
    if comment is None:
        raise NotFound
    return comment


def _place_of(comment: Comment, found: Found, *, user: Any) -> str:
    skip = skip_to(comment, user=user)
    return f"{issue_path(found.key)}{f'?skip={skip}' if skip else ''}#comment-{comment.pk}"


def _context(found: Found, comment: Comment) -> dict[str, Any]:
    return {"nav": "issues", "key": found.key, "title": found.issue.title, "comment": comment}


def _refused(request: HttpRequest, found: Found, form: CommentForm, *, status: int) -> HttpResponse:
    """Show the issue again with the comment as it was typed."""
    context = issue_context(request, found, form)
    context["reply"] = quoted_comment(request.POST.get("parent", ""), found, user=person(request))
    return render(request, "issues/issue.html", context, status=status)
