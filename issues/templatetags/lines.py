"""The lines of a list of issues.

Fifty a page and a dozen values a line: looking each of them up in a template was a third of the page's time.
The line is here, the list around it in `components/_issue_rows.html`.
"""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from issues.views.cards import Card, Mark

register = template.Library()
_escaped = lru_cache(maxsize=4096)(escape)  # names come again and again


@register.simple_tag
def issue_lines(cards: Iterable[Card], is_selectable: Any = False) -> SafeString:  # noqa: FBT002  a template gives it
    """Return the lines of these issues; `is_selectable`: each with a box for the form named `bulk`."""
    select = escape(_("Select %(key)s")) if is_selectable else ""
    return mark_safe("".join([_line(card, select) for card in cards]))  # noqa: S308  each text in it is escaped


def _line(card: Card, select: str) -> str:
    key = escape(card.key)
    box = ""
    if select:
        label = select % {"key": key}
        box = f'<input type="checkbox" name="issue" value="{key}" form="bulk" aria-label="{label}"> '
    priority = ""
    if card.priority:
        priority = f'<span class="priority priority-{card.priority_word}">{_escaped(card.priority)}</span>'
    return (
        f'<li class="issue-row{" is-closed" if card.is_closed else ""}" data-mark="{card.mark}">'
        f'<span class="key">{box}{key}</span><span class="issue-row-main">'
        f'<a class="issue-row-title" href="{escape(card.path)}">{escape(card.title)}</a>'
        f"{''.join([_label(mark) for mark in card.labels])}</span>"
        f'<span class="issue-row-marks">{priority}'
        f'<span class="badge status status-{card.category}">{_escaped(card.status)}</span></span>'
        f'<span class="issue-row-person">{_escaped(card.assignee)}</span>'
        f'<span class="issue-row-when">{card.updated}</span></li>\n'
    )


def _label(mark: Mark) -> str:
    return f'<span class="badge label {mark.tint}">{_escaped(mark.name)}</span>'
