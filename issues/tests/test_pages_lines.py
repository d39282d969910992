"""A line of a list says what the card says, and lets no markup through."""

import re

from django.template import Context, Template
from django.utils.html import format_html

from issues.views.cards import Card, Mark

EVIL = '<b onclick="x()">\'&amp;'
LINES = Template("{% load lines %}{% issue_lines cards is_selectable %}")


def card(**fields: object) -> Card:
    values: dict[str, object] = {
        "mark": "0197:3",
        "key": "API-1",
        "path": "/issues/API-1/",
        "title": "A title",
        "status": "In progress",
        "category": "started",
        "is_closed": False,
        "priority": "High",
        "priority_word": "high",
        "labels": [Mark("docs", "tint-3")],
        "assignee": "Ada",
        "updated": format_html("<time>{}</time>", "now"),
    }
    return Card(**(values | fields))  # type: ignore[arg-type]  # a test says which


def line(**fields: object) -> str:
    return LINES.render(Context({"cards": [card(**fields)]}))


def test_a_line_shows_the_whole_card() -> None:
    text = re.sub(r"<[^>]*>", "|", line())
    assert [part for part in text.split("|") if part.strip()] == [
        "API-1", "A title", "docs", "High", "In progress", "Ada", "now",
    ]  # fmt: skip
    assert 'class="issue-row"' in line()
    assert 'class="issue-row is-closed"' in line(is_closed=True)
    assert 'data-mark="0197:3"' in line()
    assert "priority" not in line(priority="", priority_word="none")


def test_no_text_of_a_card_becomes_markup() -> None:
    evil = line(
        title=EVIL, status=EVIL, assignee=EVIL, priority=EVIL, labels=[Mark(EVIL, "tint-0")], key=EVIL
    )
    assert "<b" not in evil
    assert evil.count("&lt;b onclick=&quot;x()&quot;&gt;&#x27;&amp;amp;") == 6


def test_only_a_list_that_can_be_changed_has_boxes() -> None:
    assert "checkbox" not in line()
    selectable = LINES.render(Context({"cards": [card()], "is_selectable": True}))
    assert 'name="issue" value="API-1" form="bulk" aria-label="Select API-1"' in selectable
