"""Rows of issues as CSV, JSON and XLSX, in pieces of bytes."""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
import xlsxwriter

from issues.rows import Row
from transfer.csv_columns import CELLS, escaped

PIECE_BYTES: Final = 64 * 1024
SHEET_ROWS: Final = 1_048_575  # below the headers
CELL_CHARACTERS: Final = 32_767
Write = Callable[[Iterable[Row], Sequence[str]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `write` takes rows and the names of columns."""

    media_type: str
    suffix: str
    write: Write


def write_csv(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield RFC 4180 in UTF-8 with a BOM, which spreadsheets need; formulas are escaped."""
    cells = [CELLS[name] for name in columns]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    yield codecs.BOM_UTF8
    for row in rows:
        writer.writerow([escaped(cell(row)) for cell in cells])
        if text.tell() >= PIECE_BYTES:
            yield _taken(text)
    yield _taken(text)


def write_json(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield an array of the API's rows of issues, a line each; of `columns` alone where there are any."""
    piece, separator = bytearray(b"["), b"\n"
    for row in rows:
        piece += separator + orjson.dumps({name: row[name] for name in columns} if columns else row)
        separator = b",\n"
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece) + b"\n]\n"


def write_xlsx(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield a workbook, once it is whole: texts as texts, so that none is a formula.

    Its rows go to a temporary file as they come. More than fit go to further sheets; a cell has at most
    32,767 characters, which is Excel's limit.
    """
    with TemporaryDirectory(prefix="export-") as directory:
        path = Path(directory) / "issues.xlsx"
        _write_workbook(path, rows, columns, directory=directory)
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format("text/csv; charset=utf-8", "csv", write_csv),
    "json": Format("application/json", "json", write_json),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", write_xlsx),
}


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _write_workbook(path: Path, rows: Iterable[Row], columns: Sequence[str], *, directory: str) -> None:
    options = {"constant_memory": True, "tmpdir": directory, "strings_to_formulas": False}
    cells = [CELLS[name] for name in columns]
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet: Any = None
        for place, row in enumerate(rows):
            line = place % SHEET_ROWS
            if line == 0:
                sheet = _new_sheet(book, columns)
            for column, cell in enumerate(cells):
                sheet.write_string(line + 1, column, cell(row)[:CELL_CHARACTERS])
        if sheet is None:
            _new_sheet(book, columns)


def _new_sheet(book: Any, columns: Sequence[str]) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name)
    return sheet
