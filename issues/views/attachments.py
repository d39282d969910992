"""Files on an issue: attached under the comments, renamed and deleted on pages of their own."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from issues import policy
from issues.forms.attachment import AttachmentForm, RenameForm
from issues.models import Attachment
from issues.scope import scope_of
from issues.services.attachments import add_attachment, delete_attachment, rename_attachment
from issues.views.callers import REFUSALS, caller_of, person, status_of
from issues.views.found import Found, found_issue, issue_path
from issues.views.issues import refused_attachment
from tracker.errors import NotAllowed, NotFound, Unavailable, Unsupported
from tracker.web.errors import add_to_form
from tracker.web.uploads import takes_files

_CHANGE: Final = "Only who attached a file, or who manages all, may change it."


@takes_files
@require_POST
def add(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Attach a file."""
    found = found_issue(request, ref)
    form = AttachmentForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused_attachment(request, found, form, status=400)
    try:
        attachment = add_attachment(found.issue.pk, by=caller_of(request), upload=form.cleaned_data["file"])
    except (*REFUSALS, Unsupported, Unavailable) as error:
        add_to_form(form, error)
        return refused_attachment(request, found, form, status=_status_of(error))
    return redirect(f"{issue_path(found.key)}#attachment-{attachment.pk}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, ref: str, attachment_id: uuid.UUID) -> HttpResponseBase:
    """Give an attachment another name."""
    found = found_issue(request, ref)
    attachment = _changeable(found, attachment_id, user=person(request))
    status = 200
    form = RenameForm(request.POST or None, initial={"filename": attachment.filename})
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                rename_attachment(
                    attachment.pk, by=caller_of(request), filename=form.cleaned_data["filename"]
                )
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(f"{issue_path(found.key)}#attachment-{attachment.pk}")
    context = _context(found, attachment) | {"form": form}
    return render(request, "issues/attachments/rename.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, ref: str, attachment_id: uuid.UUID) -> HttpResponse:
    """Delete an attachment, after a page that names it once more."""
    found = found_issue(request, ref)
    attachment = _changeable(found, attachment_id, user=person(request))
    if request.method == "POST":
        delete_attachment(attachment.pk, by=caller_of(request))
        messages.success(request, _("The file is deleted."))
        return redirect(f"{issue_path(found.key)}#attachments")
    return render(request, "issues/attachments/delete.html", _context(found, attachment))


def _changeable(found: Found, attachment_id: uuid.UUID, *, user: Any) -> Attachment:
    visible = Attachment.objects.visible_to(user).filter(issue=found.issue, pk=attachment_id)
    attachment: Attachment | None = visible.first()
    if attachment is None:
        raise NotFound
    if not policy.can_change_attachment(scope_of(user), attachment):
        raise NotAllowed(_CHANGE)
    return attachment


def _context(found: Found, attachment: Attachment) -> dict[str, Any]:
    return {"nav": "issues", "key": found.key, "title": found.issue.title, "attachment": attachment}


def _status_of(error: Exception) -> int:
    if isinstance(error, Unavailable):
        return 503
    return 415 if isinstance(error, Unsupported) else status_of(error)  # type: ignore[arg-type]  # a refusal
