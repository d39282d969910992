"""Users' Markdown: what it may become, and what it must not."""

import time
from html.parser import HTMLParser

import pytest

from issues import markdown
from issues.tests.pages import PAYLOADS

ALLOWED_TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, as a browser would read them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_has_no_active_part_in_the_page(payload: str) -> None:
    html = markdown.render(payload)
    seen = Elements()
    seen.feed(html)
    assert {tag for tag, _ in seen.found} <= ALLOWED_TAGS
    assert {name for _, attributes in seen.found for name in attributes} <= {
        "href",
        "title",
        "rel",
        "start",
        "tabindex",
        "class",
    }
    addresses = [attributes["href"] for _, attributes in seen.found if "href" in attributes]
    assert all(
        address.startswith(("http://", "https://", "mailto:", "//", "/", "y", "x")) for address in addresses
    )


@pytest.mark.parametrize(
    "unit",
    ["![[", "[", "> ", "- ", "1. a\n", "*a ", "a\n", "|a|\n|-|\n", "[a](", "`", "<", "](", "~~a ", "\\", "&"],
)
def test_a_hostile_text_of_64_kib_is_shown_quickly(unit: str) -> None:
    # It takes some tenths of a second; what is quadratic takes minutes. The bound lies far from both.
    text = (unit * 65_536)[: 64 * 1024]
    started = time.process_time()
    html = markdown.render(text)
    assert time.process_time() - started < 10
    assert html


def test_quotes_nested_beyond_the_limit_keep_their_words() -> None:
    assert "deep" in markdown.render("> " * 300 + "deep")


def test_headings_begin_below_those_of_the_page() -> None:
    html = markdown.render("# One\n\n###### Six")
    assert "<h3>One</h3>" in html
    assert "<h6>Six</h6>" in html


def test_a_picture_of_another_host_becomes_a_link() -> None:
    html = markdown.render("![a *shot*](https://example.org/a.png)")
    assert "<img" not in html
    assert 'href="https://example.org/a.png"' in html
    assert ">a shot</a>" in html


def test_links_tell_nobody_where_they_are_followed_from() -> None:
    assert 'rel="nofollow noopener noreferrer"' in markdown.render("[a](https://example.org)")


def test_tables_task_lists_and_strikethrough_are_rendered() -> None:
    html = markdown.render("| a |\n|---|\n| b |\n\n- [ ] open\n- [x] done\n\n~~gone~~")
    assert "<td>b</td>" in html
    assert "☐ open" in html
    assert "☑ done" in html
    assert "<s>gone</s>" in html


def test_raw_html_is_shown_as_text() -> None:
    assert "&lt;b&gt;" in markdown.render("<b>bold</b>")


def test_the_same_text_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = markdown.render("the **same** text")
    monkeypatch.setattr(markdown, "_convert", lambda _text: pytest.fail("rendered again"))
    assert markdown.render("the **same** text") == first
