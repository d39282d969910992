"""A CSV file, row by row: its encoding and separator are found out, every fault has its line.

Nothing is held but the row. The encoding is decided by the whole file (UTF-8, else Windows-1252), so that a
single odd letter near the end does not break it there.
"""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from transfer.report import Problem, Unreadable

MOST_CELL_CHARACTERS: Final = 1024 * 1024
MOST_COLUMNS: Final = 1000
_CHUNK_BYTES: Final = 1024 * 1024
_SEPARATORS: Final = ",;\t"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

csv.field_size_limit(MOST_CELL_CHARACTERS)


class Line(NamedTuple):
    """A row of the file: where it begins, and its cells or what is wrong with it."""

    number: int
    cells: list[str]
    fault: str = ""


class CsvFile:
    """A CSV file; may be read any number of times. Raises `Unreadable` where it is none."""

    def __init__(self, path: Path, *, name: str) -> None:
        self._path, self._name = path, name
        self.encoding = _encoding_of(path)
        self.separator = self._find_separator()
        self.headers = self._read_headers()

    def rows(self) -> Iterator[Line]:
        """Yield the rows below the headers; empty lines are passed over."""
        lines = self._lines(self.separator)
        next(lines)
        yield from lines

    def _lines(self, separator: str) -> Iterator[Line]:
        with self._open() as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            while True:
                number = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as fault:
                    yield Line(number, [], _sentence_of(fault))
                    if "field larger" in str(fault):
                        return  # everything from here on is in one open quotation
                    continue
                except UnicodeError as fault:
                    raise self._unreadable(f"is not valid {self.encoding}: {fault}", number) from None
                if cells and any(cells):
                    yield Line(number, cells)

    def _open(self) -> TextIO:
        return self._path.open(encoding=self.encoding, newline="")

    def _find_separator(self) -> str:
        """Return the separator that gives the first row the most cells."""
        widths = {}
        for separator in _SEPARATORS:
            first = next(self._lines(separator), None)
            widths[separator] = len(first.cells) if first else 0
        return max(_SEPARATORS, key=widths.__getitem__)

    def _read_headers(self) -> list[str]:
        first = next(self._lines(self.separator), None)
        if first is None:
            raise self._unreadable("is empty", 1)
        if first.fault:
            raise self._unreadable(first.fault, first.number)
        if len(first.cells) > MOST_COLUMNS:
            raise self._unreadable(f"has more than {MOST_COLUMNS} columns", first.number)
        if any("\x00" in cell for cell in first.cells):
            raise self._unreadable("has NUL characters in its headers", first.number)
        return [cell.strip() for cell in first.cells]

    def _unreadable(self, message: str, number: int) -> Unreadable:
        return Unreadable(Problem(self._name, f"line {number}", "", message))


def _sentence_of(fault: csv.Error) -> str:
    text = str(fault)
    if "unexpected end" in text:
        return "a quotation mark is opened here and never closed"
    if "field larger" in text:
        return f"a cell has more than {MOST_CELL_CHARACTERS} characters; is a quotation mark never closed?"
    return f"this is no CSV: {text}"


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        if name := _utf16_without_mark(start):
            return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "windows-1252"
    return "utf-8"


def _utf16_without_mark(start: bytes) -> str:
    """Return UTF-16's name where every other byte of a Latin beginning is NUL."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half >= 4 and odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if half >= 4 and even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return ""
