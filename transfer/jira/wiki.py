"""Jira wiki markup → Markdown, in time linear in the text.

Blocks first: `{code}`, `{noformat}`, `{quote}` and `{panel}` are found in one scan and nested with a
stack; what is left is read line by line (headings, lists, tables, rules), and each line's own markup
is turned by `wiki_inline`. What is no markup stays as it is: a text never fails.
Source: https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from transfer.jira.wiki_inline import inline

_MACRO = re.compile(r"\{(code|noformat|quote|panel)(?::([^}\n]{0,500}))?\}", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,20}")
_HEADING = re.compile(r"[ \t]*h([1-6])\.[ \t]+(.*)")
_LIST_ITEM = re.compile(r"[ \t]*([*#]{1,40}|-)[ \t]+(?=\S)(.*)")
_RULE = re.compile(r"[ \t]*-{4,}[ \t]*$")
_UNDERLINE = re.compile(r"[ \t]*(=+|-{1,3})[ \t]*$")
_HASHES = re.compile(r"#{1,6}(?:\s|$)")
_CELL = re.compile(r"(?:\[[^\[\]\n]*\]|\\\||[^|\[]|\[)+")
_BACKTICKS = re.compile(r"`{3,}")
_DEEPEST_QUOTE = 5
_DEEPEST_LIST = 10


@dataclass(slots=True)
class _Block:
    """A quote, a panel or the whole text: lines of Markdown that may be prefixed."""

    kind: str
    lines: list[str] = field(default_factory=list)


def to_markdown(text: str) -> str:
    """Return the Markdown that shows what Jira shows for this wiki text. Colours are dropped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    stack = [_Block("text")]
    position = 0
    for start, end, kind, options in _macros(text):
        _add_text(stack[-1], text[position:start])
        position = end
        if kind in {"code", "noformat"}:
            _add_code(stack[-1], text[start:end], options)
        elif any(block.kind == kind for block in stack[1:]):
            _close_down_to(stack, kind)
        elif len(stack) <= _DEEPEST_QUOTE:
            stack.append(_Block(kind))
            title = _option(options, "title")
            if title:
                stack[-1].lines += [f"**{inline(title)}**", ""]
    _add_text(stack[-1], text[position:])
    while len(stack) > 1:
        _close_down_to(stack, stack[-1].kind)
    return _tidy(stack[0].lines)


def _macros(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, kind, options): code from its opening to behind its closing, quotes by their marks.

    A mark that nothing closes is text. Inside code only its own closing mark counts.
    """
    marks = [
        (match.start(), match.end(), match[1].lower(), match[2] or "") for match in _MACRO.finditer(text)
    ]
    last = {kind: index for index, (_, _, kind, _) in enumerate(marks)}
    open_kinds: set[str] = set()
    index = 0
    while index < len(marks):
        start, end, kind, options = marks[index]
        if kind in {"code", "noformat"}:
            if last[kind] > index:
                index = next(i for i in range(index + 1, len(marks)) if marks[i][2] == kind)
                yield start, marks[index][1], kind, options
        elif kind in open_kinds:
            open_kinds.discard(kind)
            yield start, end, kind, options
        elif last[kind] > index:
            open_kinds.add(kind)
            yield start, end, kind, options
        index += 1


def _close_down_to(stack: list[_Block], kind: str) -> None:
    while len(stack) > 1:
        block = stack.pop()
        quoted = [f"> {line}".rstrip() for line in _tidy(block.lines).split("\n")]
        stack[-1].lines += ["", *quoted, ""]
        if block.kind == kind:
            return


def _option(options: str, name: str) -> str:
    for part in options.split("|"):
        key, equals, value = part.partition("=")
        if equals and key.strip().lower() == name:
            return value.strip()
    return ""


def _add_code(block: _Block, whole: str, options: str) -> None:
    """Write a fenced block; the fence is longer than any in the code."""
    body = whole[whole.index("}") + 1 : whole.rindex("{")].strip("\n")
    language = next(
        (part for part in options.split("|") if "=" not in part and _LANGUAGE.fullmatch(part)), ""
    )
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(body)), default=0))
    title = _option(options, "title")
    block.lines += ["", *([f"**{inline(title)}**", ""] if title else [])]
    block.lines += [fence + language.lower(), *body.split("\n"), fence, ""]


def _add_text(block: _Block, text: str) -> None:
    """Write the lines between two macros."""
    table: list[str] = []
    levels: list[str] = []
    for line in text.split("\n"):
        if line.lstrip().startswith("|") and line.count("|") > 1:
            table.append(line.strip())
            continue
        if table:
            _add_table(block, table)
            table = []
        if item := _LIST_ITEM.fullmatch(line):
            _add_list_item(block, levels, item[1], item[2])
        else:
            levels = levels if line.strip() else []
            _add_line(block, line)
    if table:
        _add_table(block, table)


def _add_list_item(block: _Block, levels: list[str], marks: str, text: str) -> None:
    """Write an item below the levels that are open; a level may go one deeper, not more."""
    depth = min(len(marks), len(levels) + 1, _DEEPEST_LIST)
    kind = "1. " if marks[-1] == "#" else "- "
    if not levels and block.lines and block.lines[-1].strip():
        block.lines.append("")
    del levels[depth - 1 :]
    indent = " " * sum(len(level) for level in levels)
    levels.append(kind)
    block.lines.append(f"{indent}{kind}{inline(text.strip())}")


def _add_line(block: _Block, line: str) -> None:
    if heading := _HEADING.fullmatch(line):
        block.lines += ["", f"{'#' * int(heading[1])} {inline(heading[2].strip())}", ""]
    elif line.lstrip().startswith("bq. "):
        block.lines += ["", f"> {inline(line.lstrip()[4:].strip())}", ""]
    elif _RULE.fullmatch(line):
        block.lines += ["", "---", ""]
    elif underline := _UNDERLINE.fullmatch(line):
        block.lines.append("\\" + underline[1])
    else:
        block.lines.append(_plain(line))


def _plain(line: str) -> str:
    """Return a line of a paragraph: its indentation would be code in Markdown, and means nothing in Jira."""
    text = inline(line.strip())
    if _HASHES.match(text) or (text[:1] == "+" and text[1:2].isspace()):
        return "\\" + text
    return text


def _add_table(block: _Block, rows: list[str]) -> None:
    """Write rows of `||head||head||` and `|cell|cell|`; Markdown wants a head, so there is always one."""
    parsed = [_cells(row) for row in rows]
    width = max(len(cells) for cells in parsed)
    if not width:
        return
    head = parsed.pop(0) if rows[0].startswith("||") else [""] * width
    block.lines += ["", _table_row(head, width), "|" + " --- |" * width]
    block.lines += [*(_table_row(cells, width) for cells in parsed), ""]


def _cells(row: str) -> list[str]:
    return [inline(cell.strip()).replace("\n", " ") for cell in _CELL.findall(row) if cell.strip()] or [""]


def _table_row(cells: list[str], width: int) -> str:
    padded = [re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(padded[:width]) + " |"


def _tidy(lines: list[str]) -> str:
    """Join lines with at most one empty line between them, except inside fences."""
    out: list[str] = []
    fence = ""
    for line in "\n".join(lines).split("\n"):
        mark = line.lstrip("> ")
        if fence and mark == fence:
            fence = ""
        elif not fence and mark.startswith("```"):
            fence = "`" * (len(mark) - len(mark.lstrip("`")))
        if fence or line.strip() or (out and out[-1].strip()):
            out.append(line)
    return "\n".join(out).strip("\n")
