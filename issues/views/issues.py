"""The page of one issue, and the pages that file and edit one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from issues import policy
from issues.forms.attachment import AttachmentForm
from issues.forms.comment import CommentForm
from issues.forms.issue import IssueForm, ProjectChoiceForm, VersionForm, project_choices
from issues.models import Issue
from issues.refs import find_issue
from issues.rows import issue_row
from issues.scope import scope_of
from issues.services.issues import create_issue, edit_issue, restore_issue, trash_issue
from issues.views.attached import shown_attachments
from issues.views.callers import REFUSALS, caller_of, person, status_of, visible_project
from issues.views.details import details_of, quoted_comment
from issues.views.found import Found, found_issue, issue_path
from issues.views.merge import Merge, merge
from issues.views.moments import Moments
from issues.views.timeline import read_timeline
from tracker.errors import NotAllowed, Stale
from tracker.events.numbering import head
from tracker.web.errors import add_to_form

_MERGE_TRIES = 3


@login_required
@require_safe
def show(request: HttpRequest, ref: str) -> HttpResponseBase:
    """One issue: its text, properties and timeline. An old key leads to the new one."""
    live = head()
    found = found_issue(request, ref, trashed=True)
    if ref != found.key:
        return redirect(issue_path(found.key))
    return render(request, "issues/issue.html", {"live": live, **issue_context(request, found)})


def issue_context(
    request: HttpRequest, found: Found, comment_form: CommentForm | None = None
) -> dict[str, Any]:
    """Return what the page of an issue shows; `comment_form`: one that was refused, with what was typed."""
    user, moments = person(request), Moments(person(request))
    scope = scope_of(user)
    skip = request.GET.get("skip", "")
    reply = quoted_comment(request.GET.get("reply", ""), found, user=user)
    form = comment_form or CommentForm(
        may_be_internal=policy.can_comment(scope, internal=True),
        initial={"parent": reply.id, "internal": reply.internal} if reply else None,
    )
    return {
        "nav": "issues",
        "issue": details_of(found, user=user, moments=moments),
        "timeline": read_timeline(
            found.issue,
            key=found.key,
            user=user,
            moments=moments,
            skip=min(int(skip), 100_000) if skip.isdecimal() else 0,
        ),
        "may_comment": found.is_active and policy.can_comment(scope, internal=False),
        "comment_form": form,
        "reply": reply,
        "attachments": shown_attachments(found, user=user, moments=moments),
        "may_attach": found.is_active and policy.can_attach(scope),
        "attachment_form": AttachmentForm(),
    }


def refused_attachment(
    request: HttpRequest, found: Found, form: AttachmentForm, *, status: int
) -> HttpResponse:
    """Show the issue again with what is wrong with the file."""
    context = {**issue_context(request, found), "attachment_form": form}
    return render(request, "issues/issue.html", context, status=status)


# --- filing ------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """File an issue: first the project, then the fields that the person may set there."""
    user, scope = person(request), scope_of(person(request))
    policy.require(allowed=scope.may("file_issue"), message="You may not file issues.")
    choices = project_choices(user)
    key = (
        request.POST.get("project")
        or request.GET.get("project")
        or (choices[0][0] if len(choices) == 1 else "")
    )
    if not key:
        return render(
            request, "issues/new_project.html", {"nav": "issues", "form": ProjectChoiceForm(user=user)}
        )
    project, scope = visible_project(request, key)
    names = policy.settable_when_filing(scope)
    is_sent = request.method == "POST" and "switch" not in request.POST
    form = IssueForm(
        request.POST if is_sent else None,
        project=project,
        user=user,
        names=names,
        initial=request.POST.dict(),
    )
    status = 200
    if is_sent:
        status = 400
        if form.is_valid():
            try:
                issue = create_issue(project.id, by=caller_of(request), fields=form.changes())
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                return redirect(issue_path(f"{project.key}-{issue.number}"))
    context = {"nav": "issues", "form": form, "project": project, "projects": choices}
    return render(request, "issues/new.html", context, status=status)


# --- editing -----------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Change an issue. A save from an older version is merged; where it conflicts, both texts are shown."""
    found = found_issue(request, ref)
    user = person(request)
    names = _editable(found, user)
    row = issue_row(found.issue, user=user)
    if request.method != "POST":
        form = IssueForm(project=found.project, user=user, names=names, row=row)
        return _render_edit(request, found, form, version=row["version"])
    names = _sent_names(request, names)
    form = IssueForm(request.POST, project=found.project, user=user, names=names, row=row)
    seen = VersionForm(request.POST)
    if not seen.is_valid():
        form.add_error(
            None, _("The form came without the version that you saw. Check the fields and save again.")
        )
        return _render_edit(request, found, form, version=row["version"], status=400)
    version = seen.cleaned_data["version"]
    if not form.is_valid():
        return _render_edit(request, found, form, version=version, status=400)
    try:
        edit_issue(found.issue.pk, by=caller_of(request), changes=form.changes(), expected_version=version)
    except Stale:
        return _merged(request, found, form, since=version)
    except REFUSALS as error:
        add_to_form(form, error)
        return _render_edit(request, found, form, version=version, status=status_of(error))
    return redirect(issue_path(found.key))


def _editable(found: Found, user: Any) -> frozenset[str]:
    """Return the fields of the edit form; the status has buttons of its own. Raises `NotAllowed`."""
    scope = scope_of(user)
    names = policy.editable_fields(scope, found.issue, found.status) - {"status"}
    if policy.may_only_take(scope, found.issue):
        names -= {"assignee"}
    if not names:
        raise NotAllowed(_("You may not edit this issue."))
    return names


def _sent_names(request: HttpRequest, names: frozenset[str]) -> frozenset[str]:
    """Return the fields that the form had when it was shown; they may be more than those allowed now."""
    sent = frozenset(request.POST.getlist("fields")) & policy.EDITABLE_FIELDS - {"status"}
    kept = {name for name in sent if request.POST.get(f"keep_{name}") == "theirs"}
    return (sent or names) - kept


def _merged(request: HttpRequest, found: Found, form: IssueForm, *, since: int) -> HttpResponseBase:
    """Save what does not conflict with the changes of others; show both texts where something does."""
    user = person(request)
    for _try in range(_MERGE_TRIES):
        issue = find_issue(found.issue.pk, user=user, among=Issue.objects.visible_to(user))
        result = merge(issue, form, since=since, user=user)
        if result.conflicts:
            break
        try:
            edit_issue(
                issue.pk, by=caller_of(request), changes=result.changes, expected_version=result.version
            )
        except Stale:
            continue
        except REFUSALS as error:
            add_to_form(form, error)
            return _render_edit(request, found, form, version=result.version, status=status_of(error))
        _tell_merged(request, result)
        return redirect(issue_path(found.key))
    return _render_merge(request, found, form, result)


def _tell_merged(request: HttpRequest, result: Merge) -> None:
    if result.theirs:
        people, fields = ", ".join(result.people), ", ".join(result.theirs).lower()
        text = _("Saved. Meanwhile %(people)s changed: %(fields)s. Both changes are in.")
        messages.success(request, text % {"people": people, "fields": fields})


def _render_merge(request: HttpRequest, found: Found, form: IssueForm, result: Merge) -> HttpResponse:
    clashing = {conflict.name for conflict in result.conflicts}
    context = {
        "nav": "issues",
        "key": found.key,
        "issue_id": found.issue.pk,
        "title": result.row["title"],
        "form": form,
        "merge": result,
        "pairs": [(conflict, form[conflict.name]) for conflict in result.conflicts],
        "others": [form[name] for name in form.fields if name in result.changes and name not in clashing],
        "version": result.version,
    }
    return render(request, "issues/merge.html", context, status=409)


def _render_edit(
    request: HttpRequest, found: Found, form: IssueForm, *, version: int, status: int = 200
) -> HttpResponse:
    context = {
        "nav": "issues",
        "key": found.key,
        "issue_id": found.issue.pk,
        "form": form,
        "version": version,
        "project": found.project,
    }
    return render(request, "issues/edit.html", context, status=status)


# --- taking, trash -----------------------------------------------------------------------------------
@login_required
@require_POST
def take(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Assign an issue to oneself."""
    found = found_issue(request, ref)
    seen = VersionForm(request.POST)
    version = seen.cleaned_data["version"] if seen.is_valid() else None
    try:
        edit_issue(
            found.issue.pk, by=caller_of(request), changes={"assignee": "me"}, expected_version=version
        )
    except Stale:
        messages.warning(
            request, _("The issue changed meanwhile and was not assigned. This is how it is now.")
        )
    return redirect(issue_path(found.key))


@login_required
@require_POST
def trash(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Put an issue into the trash."""
    found = found_issue(request, ref)
    trash_issue(found.issue.pk, by=caller_of(request))
    messages.success(
        request, _("%(key)s is in the trash. It can be restored for 30 days.") % {"key": found.key}
    )
    return redirect(issue_path(found.key))


@login_required
@require_POST
def restore(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Take an issue out of the trash."""
    found = found_issue(request, ref, trashed=True)
    restore_issue(found.issue.pk, by=caller_of(request))
    messages.success(request, _("%(key)s is restored.") % {"key": found.key})
    return redirect(issue_path(found.key))
