"""Users' Markdown as HTML that can do no harm: raw HTML off, then cleaned, then cached by its hash.

Links stay, pictures of other hosts become links, headings begin below those of the page. A text that is
nested too deep, or has too many marks to be parsed quickly, is shown as it was typed.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

import nh3
from django.core.cache import cache
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_NESTING: Final = 20
MAX_MARKS: Final = 4_000
CACHE_SECONDS: Final = 24 * 60 * 60
_FORMAT: Final = "md2"  # part of the cache's key: change it when the output for a text changes
_HEADING_SHIFT: Final = 2
_DEEPEST_HEADING: Final = 6
_MARKS: Final = re.compile(r"[\[*_`~<>|&\n]")
_TASK: Final = re.compile(r"\[([ xX])\] ")
_TAGS: Final = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def render(text: str) -> SafeString:
    """Return the HTML of a text, from the cache where it was rendered before."""
    if not text.strip():
        return mark_safe("")
    key = f"{_FORMAT}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
    html = cache.get(key)
    if html is None:
        html = _let_scroll(_clean(_convert(text)))
        cache.set(key, html, CACHE_SECONDS)
    return mark_safe(str(html))  # noqa: S308  cleaned by nh3


def _convert(text: str) -> str:
    """Return uncleaned HTML."""
    if sum(1 for _ in _MARKS.finditer(text)) > MAX_MARKS:
        return _as_typed(text)
    env: EnvType = {}
    tokens = _parser.parse(text, env)
    # At the limit the parser leaves out what is inside: the words would be lost.
    if any(token.nesting == 1 and token.level >= MAX_NESTING - 1 for token in tokens):
        return _as_typed(text)
    return str(_parser.renderer.render(tokens, _parser.options, env))


def _as_typed(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )


def _let_scroll(html: str) -> str:
    """Let wide code and tables of a cleaned text be scrolled, also by the keyboard."""
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table>", '<div class="prose-table" tabindex="0"><table>')
    return html.replace("</table>", "</table></div>")


def _image_as_link(
    _self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    source = str(token.attrGet("src") or "")
    alt = _parser.renderer.renderInlineAsText(token.children, options, env) if token.children else ""  # type: ignore[attr-defined]
    return f'<a href="{escape(source)}">{escape(alt or source)}</a>'


def _adapt_blocks(state: Any) -> None:
    """Shift headings below the page's own, and show task lists by signs."""
    for position, token in enumerate(state.tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_DEEPEST_HEADING, int(token.tag[1]) + _HEADING_SHIFT)}"
        elif token.type == "inline" and position > 1 and state.tokens[position - 2].type == "list_item_open":
            _mark_task(token)


def _mark_task(token: Token) -> None:
    first = token.children[0] if token.children else None
    match = _TASK.match(first.content) if first is not None and first.type == "text" else None
    if first is not None and match is not None:
        first.content = ("☐ " if match[1] == " " else "☑ ") + first.content[match.end() :]


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "maxNesting": MAX_NESTING, "linkify": False, "breaks": True}
    )
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("adapt_blocks", _adapt_blocks)
    parser.add_render_rule("image", _image_as_link)
    return parser


_parser: Final = _make_parser()
