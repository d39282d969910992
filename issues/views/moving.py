"""The page that moves an issue to another project."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from issues import policy
from issues.forms.issue import MoveForm
from issues.scope import scope_of
from issues.services.issues import edit_issue
from issues.views.callers import REFUSALS, caller_of, person, status_of
from issues.views.found import found_issue, issue_path
from tracker.errors import Stale
from tracker.web.errors import add_to_form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, ref: str) -> HttpResponseBase:
    """Choose another project and move the issue there; an issue that changed meanwhile is shown first."""
    found, user = found_issue(request, ref), person(request)
    policy.require(allowed=policy.can_move(scope_of(user)), message="You may not move issues.")
    form = MoveForm(request.POST if request.method == "POST" else None, user=user, project=found.project)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                issue = edit_issue(
                    found.issue.pk,
                    by=caller_of(request),
                    changes={"project": form.cleaned_data["project"]},
                    expected_version=form.cleaned_data["version"],
                )
            except Stale:
                messages.warning(
                    request, _("The issue changed meanwhile and was not moved. Look at it first.")
                )
                return redirect(issue_path(found.key))
            except REFUSALS as error:
                add_to_form(form, error)
                status = status_of(error)
            else:
                key = f"{form.cleaned_data['project']}-{issue.number}"
                messages.success(request, _("%(old)s is %(new)s now.") % {"old": found.key, "new": key})
                return redirect(issue_path(key))
    context = {"nav": "issues", "key": found.key, "title": found.issue.title, "form": form}
    return render(request, "issues/move.html", context | {"version": found.issue.version}, status=status)
