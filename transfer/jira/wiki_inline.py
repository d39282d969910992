"""One line of Jira wiki markup → one line of Markdown.

A single pass with a stack: every character is looked at a bounded number of times, whatever the line
holds. Text that means something in Markdown but nothing in Jira is escaped.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<url>(?:https?|ftp)://[^\s|\]}<>\"]+)"
    r"|(?P<tag>\{color(?::[^}\n]{0,40})?\}|\{anchor:[^}\n]{0,80}\})"
    r"|(?P<mono>\{\{)"
    r"|(?P<link>\[[^\[\]\n]{1,2000}\])"
    r"|(?P<image>![^\s!|][^\n!|]{0,1000}(?:\|[^\n!]{0,500})?!)"
    r"|(?P<escape>\\[\\\[\]{}*_+\-!|#?^~])"
    r"|(?P<mark>(?P<same>[*_~-])(?P=same)*|\?\?)"
    r"|(?P<special>[`\\<\[])"
)
_ANY_MARK = re.compile(r"[*_~{\[!\\<`?-]|://")  # most lines have none
# What Markdown has no word for (`+inserted+`, `^super^`, `~sub~`) stays as it was written.
_OPENERS = {"*": "**", "_": "*", "-": "~~", "??": "*"}
_FILE_NAME = re.compile(r"\.[A-Za-z0-9]{2,5}$")
_LINK_TARGET = re.compile(r"(?:https?|ftp|file|mailto|irc):|//|www\.", re.IGNORECASE)
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_TAG_START = re.compile(r"[A-Za-z/!?]")


@dataclass(slots=True)
class _Line:
    """The output of one line, and the emphasis marks that wait for their other half."""

    text: str
    out: list[str] = field(default_factory=list)
    waiting: list[tuple[str, int]] = field(default_factory=list)
    waiting_marks: set[str] = field(default_factory=set)
    mono_end: int = 0

    def before(self, position: int) -> str:
        return self.text[position - 1] if position else " "

    def after(self, position: int) -> str:
        return self.text[position] if position < len(self.text) else " "


def inline(text: str) -> str:
    """Return a line's text with emphasis, monospaced text, links, mentions and images in Markdown."""
    if not _ANY_MARK.search(text):
        return text
    line = _Line(text)
    position = 0
    while match := _TOKEN.search(text, position):
        line.out.append(text[position : match.start()])
        position = _take(line, match)
    line.out.append(text[position:])
    return "".join(line.out)


def _take(line: _Line, match: re.Match[str]) -> int:
    """Write one token and return where the text goes on."""
    token = match.group()
    kind = "mark" if match.lastgroup == "same" else match.lastgroup
    if kind == "mono":
        return _monospaced(line, match.start())
    if kind == "url":
        return _bare_address(line, match)
    if kind == "mark":
        _mark(line, token, match.start(), match.end())
    elif kind == "link":
        line.out.append(_link(token[1:-1], line.after(match.end())))
    elif kind == "image":
        return _image(line, match)
    elif kind == "escape":
        line.out.append(_escaped(line, token, match.end()))
    elif kind == "special":
        line.out.append(_special(line, token, match.end()))
    return match.end()


def _bare_address(line: _Line, match: re.Match[str]) -> int:
    """Write an address as the link that Jira makes of it, without the punctuation behind it."""
    address = match.group().rstrip(".,;:!?'*_-")
    if address.endswith(")") and "(" not in address:
        address = address.rstrip(").,;:!?'*_-")
    line.out.append(f"<{address}>")
    return match.start() + len(address)


def _monospaced(line: _Line, start: int) -> int:
    if 0 <= line.mono_end < start + 2:
        line.mono_end = line.text.find("}}", start + 2)
    if line.mono_end < start + 3:
        line.out.append("{")
        return start + 1
    line.out.append(code_span(line.text[start + 2 : line.mono_end]))
    return line.mono_end + 2


def code_span(text: str) -> str:
    """Return text in as many backticks as it needs (CommonMark, section 6.1)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest and (text.startswith("`") or text.endswith("`")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _mark(line: _Line, token: str, start: int, end: int) -> None:
    """Open or close emphasis, or write the mark as the text that it is."""
    if token not in _OPENERS:
        line.out.append(_literal(line, token, start, end))
        return
    before, after = line.before(start), line.after(end)
    if token in line.waiting_marks and not before.isspace() and not after.isalnum():
        _close(line, token)
        return
    line.out.append(_literal(line, token, start, end))
    if not before.isalnum() and not after.isspace() and token not in line.waiting_marks:
        line.waiting.append((token, len(line.out) - 1))
        line.waiting_marks.add(token)


def _close(line: _Line, token: str) -> None:
    """Turn the waiting mark into an opener; what was opened inside and never closed stays text."""
    while line.waiting:
        mark, index = line.waiting.pop()
        line.waiting_marks.discard(mark)
        if mark == token:
            line.out[index] = _OPENERS[token]
            line.out.append(_OPENERS[token])
            return


def _literal(line: _Line, token: str, start: int, end: int) -> str:
    """Return a mark that is only text, escaped where Markdown would take it for emphasis."""
    if token[0] not in "*_~" or (token[0] == "~" and len(token) == 1):
        return token
    before, after = line.before(start), line.after(end)
    if before.isspace() and after.isspace():
        return token if start else "\\" + token
    if token[0] == "_" and before.isalnum() and after.isalnum():
        return token
    return "".join("\\" + character for character in token)


def _link(inside: str, after: str) -> str:
    if inside.startswith("~"):
        return "@" + inside[1:].removeprefix("accountid:").strip()
    if inside.startswith("^"):
        return f"[{_label(inside[1:])}]"
    text, bar, target = inside.partition("|")
    target, _, tip = (target if bar else text).partition("|")
    target = target.strip()
    if _LINK_TARGET.match(target):
        target = target.replace(" ", "%20")
        if bar and text.strip() and text.strip() != target:
            target = f"<{target}>" if set("()<>") & set(target) else target
            return f"[{_label(text.strip())}]({target}{_title(tip.strip())})"
        return f"<{target}>"
    return f"\\[{inline(inside)}]" if after in "([:" else f"[{inline(inside)}]"


def _title(tip: str) -> str:
    return ' "' + re.sub(r'([\\"])', r"\\\1", tip) + '"' if tip else ""


def _label(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<])", r"\\\1", text)


def _image(line: _Line, match: re.Match[str]) -> int:
    target = match.group()[1:-1].partition("|")[0].strip()
    if target.startswith(("http://", "https://")) and " " not in target:
        line.out.append(f"![{_label(target.rpartition('/')[2])}](<{target}>)")
    elif _FILE_NAME.search(target) and "://" not in target:
        line.out.append(f"[image: {_label(target)}]")
    else:
        line.out.append("!")
        return match.start() + 1
    return match.end()


def _escaped(line: _Line, mark: str, end: int) -> str:
    """`\\\\` is a line break where nothing follows; a backslash before a mark makes it text."""
    if mark == "\\\\":
        return "\n" if line.after(end).isspace() else "\\\\\\\\"
    return mark if mark[1] in "\\[]*_#~" else "\\" + mark[1]


def _special(line: _Line, mark: str, end: int) -> str:
    after = line.after(end)
    if mark == "\\":
        return "\\\\" if after in _PUNCTUATION else mark
    if mark == "<":
        return "\\<" if _TAG_START.match(after) else mark
    return "\\" + mark if mark == "`" else mark
