"""Figures as lines of text, and their place in `docs/performance.md`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.databases import ROOT

DOCUMENT: Final = ROOT / "docs" / "performance.md"
_BEGIN: Final = "<!-- measured: written by make bench -->"
_END: Final = "<!-- end of what was measured -->"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured."""

    work: str
    goal: str
    found: str
    is_met: bool

    def line(self) -> str:
        """Return it as a line."""
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.work:<34} {self.goal:<44} {self.found}"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table of text: the first column to the left, the others to the right."""
    lines = [list(head), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def write_document(text: str, path: Path = DOCUMENT) -> None:
    """Put the output between the marks of the document; what stands around it is written by hand."""
    before, found, rest = path.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    if not found:
        raise ValueError(f"{path.name} has no place for what was measured")
    path.write_text(f"{before}{_BEGIN}\n```\n{text.rstrip()}\n```\n{_END}{after}")


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 1 else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
