"""Jira's wiki markup becomes Markdown, and no text makes that slow or fail."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from transfer.jira.wiki import to_markdown


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("h2. Head", "## Head"),
        ("* a\n** b\n*# c\n# d\nmore", "- a\n  - b\n  1. c\n1. d\nmore"),
        ("text\n- one\n- two", "text\n\n- one\n- two"),
        ("*bold* _it_ -del- ??cite??", "**bold** *it* ~~del~~ *cite*"),
        ("{{mo`no}} and {{plain}}", "``mo`no`` and `plain`"),
        ("foo_bar_baz __init__ 2 * 3", "foo_bar_baz \\_\\_init\\_\\_ 2 * 3"),
        ("*a _b* c_", "**a \\_b** c\\_"),
        ("[~p_ansell] and [~accountid:5f:1]", "@p_ansell and @5f:1"),
        ("[text|http://a.b/c] [http://q.r]", "[text](http://a.b/c) <http://q.r>"),
        ("[x|http://a.b/c_(d)]", "[x](<http://a.b/c_(d)>)"),
        ('[x|http://a.b|a "tip"|more]', '[x](http://a.b "a \\"tip\\"|more")'),
        ("see [0] and [KEY-1]", "see [0] and [KEY-1]"),
        ("http://a.b/x_y_z*w*", "<http://a.b/x_y_z*w>\\*"),
        ("(see http://a.b/c_(d), *http://q.r*).", "(see <http://a.b/c_(d)>, **<http://q.r>**)."),
        ("||a||b||\n|1|[x|http://y]|", "| a | b |\n| --- | --- |\n| 1 | [x](http://y) |"),
        ("|1|2|", "|  |  |\n| --- | --- |\n| 1 | 2 |"),
        ("{code:java}\nint a*b;\n{code}", "```java\nint a*b;\n```"),
        ("a {code}x{code} b", "a\n\n```\nx\n```\n\nb"),
        ("{code:title=A.java|borderStyle=solid}\nx\n{code}", "**A.java**\n\n```\nx\n```"),
        ("{noformat}\n```\n{noformat}", "````\n```\n````"),
        ("{code}never closed", "{code}never closed"),
        ("{quote}\nhi\n{code}\na\n{code}\n{quote}\nafter", "> hi\n>\n> ```\n> a\n> ```\n\nafter"),
        ("{panel:title=T}\nx\n{panel}", "> **T**\n>\n> x"),
        ("bq. said *so*", "> said **so**"),
        ("{color:red}r{color} t", "r t"),
        (
            "!http://x/y.png! and !a.png|thumbnail! wow! yes!",
            "![y.png](<http://x/y.png>) and [image: a.png] wow! yes!",
        ),
        ("a\n----\nb", "a\n\n---\n\nb"),
        ("Input\n===", "Input\n\\==="),
        ("<b>x</b> `y`", "\\<b>x\\</b> \\`y\\`"),
        ("no \\*bold\\* here", "no \\*bold\\* here"),
        ("one\\\\ two", "one\n two"),
        ("a\r\nb", "a\nb"),
        ("", ""),
    ],
)
def test_markup_is_turned(wiki: str, markdown: str) -> None:
    assert to_markdown(wiki) == markdown


@pytest.mark.parametrize(
    "piece",
    [
        "[", "[a|", "[a[b]", "{{", "{{a", "{", "{code}", "{quote}", "{quote}{panel}x\n", "{code}{noformat}",
        "!a", "!a|", "|", "|a\n", "*", "*a ", "_*a ", "*_+-", "* ", "# x\n", "- x\n", "---  ", "`", "\\",
        "~~",
        "??", "h1. ", "\t", "\n", "http://", "{color:", "<", "-", "||",
    ],
)  # fmt: skip
def test_hostile_text_takes_time_in_step_with_its_length(piece: str) -> None:
    text = piece * (120_000 // len(piece))
    started = time.process_time()
    to_markdown(text)
    assert time.process_time() - started < 3


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab *_-+{}[]|!~^?\\`#\n:codequtnfrma./h1", max_size=300))
def test_any_text_is_turned_and_can_be_rendered(text: str) -> None:
    MarkdownIt("commonmark").render(to_markdown(text))


def test_code_is_kept_to_the_letter() -> None:
    code = "if (a * b) { x[0] |= {{1}} \\n ~~ `q` }\n    indented\n"
    rendered = MarkdownIt("commonmark").parse(to_markdown(f"before\n{{code}}\n{code}{{code}}\nafter"))
    assert [token.content for token in rendered if token.type == "fence"] == [code]
