"""The page that changes the issues that were selected in a list."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from issues import policy
from issues.forms.bulk import BulkForm
from issues.models import Issue
from issues.refs import find_issues
from issues.rows import Row, issue_rows
from issues.scope import scope_of
from issues.services.bulk import MAX_ISSUES, BulkReport, change_many
from issues.views.callers import REFUSALS, caller_of, person, status_of
from issues.views.cards import cards
from issues.views.moments import Moments
from tracker.errors import DomainError
from tracker.web.errors import add_to_form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponseBase:
    """Show the selected issues with the fields that they have in common, and change all of them or none."""
    user = person(request)
    policy.require(allowed=policy.can_bulk(scope_of(user)), message="You may not change many issues.")
    sent = request.POST if request.method == "POST" else request.GET
    back = _safe(sent.get("back", ""))
    rows, missing = _selected(sent.getlist("issue"), user)
    if not rows:
        messages.warning(request, _("Select the issues to change first."))
        return redirect(back)
    keys = sorted({row["project"]["key"] for row in rows})
    form = BulkForm(request.POST if request.method == "POST" else None, user=user, project_keys=keys)
    if request.method != "POST":
        return _render(request, form, rows, back=back, missing=missing)
    if not form.is_valid():
        return _render(request, form, rows, back=back, missing=missing, status=400)
    comment = form.cleaned_data["comment"]
    if not form.changes() and not comment.strip():
        form.add_error(None, _("Choose what to change, or write a comment."))
        return _render(request, form, rows, back=back, missing=missing, status=400)
    try:
        report = change_many(
            [row["id"] for row in rows],
            by=caller_of(request),
            changes=form.changes(),
            comment=comment.strip() and comment,
        )
    except REFUSALS as error:
        add_to_form(form, error)
        return _render(request, form, rows, back=back, missing=missing, status=status_of(error), error=error)
    _tell(request, report)
    return redirect(back)


def _selected(refs: list[str], user: Any) -> tuple[list[Row], int]:
    """Return the selected issues that the person sees, and how many of the selected they do not see."""
    visible = Issue.objects.visible_to(user)
    found = find_issues(refs[:MAX_ISSUES], user=user, among=visible)
    ids = {pk for pk in found.values() if pk is not None}
    rows = issue_rows(visible.filter(pk__in=ids).order_by("project__key", "number"), user=user)
    return rows, sum(pk is None for pk in found.values())


def _safe(path: str) -> str:
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, None) else "/issues/"


def _tell(request: HttpRequest, report: BulkReport) -> None:
    body = report.body()
    text = ngettext("%(count)s issue was changed.", "%(count)s issues were changed.", body["updated"])
    if body["unchanged"]:
        text += " " + _("%(unchanged)s had these values already.")
    messages.success(request, text % {"count": body["updated"], "unchanged": body["unchanged"]})


def _render(
    request: HttpRequest,
    form: BulkForm,
    rows: list[Row],
    *,
    back: str,
    missing: int,
    status: int = 200,
    error: DomainError | None = None,
) -> HttpResponse:
    user = person(request)
    results = error.details.get("results", []) if error else []
    refused = {row["key"]: row["error"]["message"] for row in results if row["error"]}
    listed = cards(rows, user=user, moments=Moments(user))
    context = {
        "nav": "issues",
        "form": form,
        "lines": [(card, refused.get(card.key, "")) for card in listed],
        "back": back,
        "missing": missing,
    }
    return render(request, "issues/bulk.html", context, status=status)
