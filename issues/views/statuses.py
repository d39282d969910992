"""The buttons that take an issue through its workflow."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from issues.catalog import StatusInfo, catalog
from issues.forms.issue import IssueForm, StatusForm
from issues.models import Issue
from issues.policy import EDITABLE_FIELDS
from issues.refs import find_issue
from issues.rows import issue_row
from issues.services.issues import change_status, next_statuses
from issues.views.callers import REFUSALS, caller_of, person, status_of
from issues.views.found import Found, found_issue, issue_path
from issues.views.merge import changes_since
from issues.views.moments import Moments
from tracker.errors import Stale
from tracker.versions import versions_of
from tracker.web.errors import add_to_form


@login_required
@require_POST
def change(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Take a step. It is taken though others changed other fields meanwhile; where they changed the status,
    the page shows both and asks."""
    found, user = found_issue(request, ref), person(request)
    form = StatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the statuses on this page."))
        return redirect(issue_path(found.key))
    names = frozenset(request.POST.getlist("fields")) & EDITABLE_FIELDS - {"status"}
    row = issue_row(found.issue, user=user)
    extra = IssueForm(request.POST if names else None, project=found.project, user=user, names=names, row=row)
    if names and not extra.is_valid():
        return _ask(request, found, form, extra, status=400)
    version = form.cleaned_data["version"]
    if version != found.issue.version and not _status_changed(found, version, user):
        version = found.issue.version
    try:
        change_status(
            found.issue.pk,
            by=caller_of(request),
            to=form.cleaned_data["to"],
            comment=form.cleaned_data["comment"].strip() and form.cleaned_data["comment"],
            changes=extra.changes() if names else None,
            expected_version=version,
        )
    except Stale:
        return _stale(request, found, form, since=version)
    except REFUSALS as error:
        missing = frozenset(error.details.get("requires") or ()) & EDITABLE_FIELDS - {"status"}
        if missing and not names:
            extra = IssueForm(project=found.project, user=user, names=missing, row=row)
        add_to_form(form, error)
        return _ask(request, found, form, extra, status=status_of(error))
    return redirect(issue_path(found.key))


def _status_changed(found: Found, version: int, user: Any) -> bool:
    return any("status" in row["changes"] for row in changes_since(found.issue, version, user=user))


def _ask(
    request: HttpRequest, found: Found, form: StatusForm, extra: IssueForm, *, status: int
) -> HttpResponse:
    """Show the step once more with what it lacks, and with what was typed."""
    context = _context(found, form, user=person(request)) | {"extra": extra, "version": found.issue.version}
    return render(request, "issues/status.html", context, status=status)


def _stale(request: HttpRequest, found: Found, form: StatusForm, *, since: int) -> HttpResponse:
    """Show what the status was, is and was to be; the comment that was typed stays."""
    user, moments = person(request), Moments(person(request))
    issue = find_issue(found.issue.pk, user=user, among=Issue.objects.visible_to(user))
    known = catalog(versions_of(user))
    names = {status.slug: status.name for status in known.statuses_of(issue.project_id)}
    steps = [
        {
            "person": row["actor"]["name"] if row["actor"] else "",
            "old": names.get(str(row["changes"]["status"][0]), ""),
            "new": names.get(str(row["changes"]["status"][1]), ""),
            "when": moments.time(row["at"]),
        }
        for row in changes_since(issue, since, user=user)
        if "status" in row["changes"]
    ]
    now = Found(issue, found.project, known.statuses[issue.status_id])
    context = _context(now, form, user=user) | {"steps": steps, "version": issue.version}
    return render(request, "issues/status_stale.html", context, status=409)


def _context(found: Found, form: StatusForm, *, user: Any) -> dict[str, Any]:
    wanted = form.cleaned_data["to"]
    choices: list[StatusInfo] = [status for status, _requires in next_statuses(found.issue, user=user)]
    statuses = catalog(versions_of(user)).statuses_of(found.project.id)
    return {
        "nav": "issues",
        "key": found.key,
        "title": found.issue.title,
        "now": found.status,
        "wanted": next((status for status in statuses if status.slug == wanted), None),
        "is_possible": any(status.slug == wanted for status in choices),
        "choices": [status for status in choices if status.slug != wanted],
        "form": form,
        "comment": form.cleaned_data["comment"],
    }
