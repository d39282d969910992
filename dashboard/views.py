"""Home: what is mine, by urgency, and what changed lately."""

from itertools import islice
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from issues.models import Issue
from issues.querysets import IssueQuerySet
from issues.rows import COLUMNS, rows_of_values
from issues.scope import scope_of
from issues.views.cards import Card, cards
from issues.views.moments import Moments
from tracker.events.numbering import head

MOST: Final = 15


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My open issues by urgency, those that I filed, and what changed lately."""
    user: Any = request.user
    live = head()
    visible = Issue.objects.visible_to(user)
    urgency = ("-priority", "-severity", "created_at", "pk")
    mine, filed, recent = _cards(
        visible.open().filter(assignee=user).order_by(*urgency),
        visible.open().filter(reporter=user).exclude(assignee=user).order_by("-created_at", "-pk"),
        visible.order_by("-updated_at", "-pk"),
        user=user,
    )
    context = {
        "live": live,
        "nav": "home",
        "mine": mine,
        "filed": filed,
        "recent": recent,
        "may_file": scope_of(user).may("file_issue"),
    }
    return render(request, "dashboard/home.html", context)


def _cards(*lists: IssueQuerySet, user: Any) -> list[list[Card]]:
    """Return the first lines of each list; a query for each, and their labels and parents once for all."""
    values = [list(found.values_list(*COLUMNS[:-1])[:MOST]) for found in lists]
    rows = rows_of_values([item for part in values for item in part], user=user, description=False)
    lines = iter(cards(rows, user=user, moments=Moments(user)))
    return [list(islice(lines, len(part))) for part in values]
