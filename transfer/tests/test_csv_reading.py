"""Tables as the world writes them: encodings, separators, quotes, and what is no table at all."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tracker.errors import Invalid
from transfer.csv.cells import due_date, estimate, labels, moment, priority
from transfer.csv.check import RowChecker, Target
from transfer.csv.columns import ColumnMapping, find_columns, read_mapping
from transfer.csv.reading import CsvFile, Line
from transfer.csv_columns import escaped, unescaped
from transfer.report import Unreadable

TARGET = Target(
    "API", {"API": {"open": "open", "done": "done", "in progress": "in_progress"}}, is_migration=False
)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Return a function that writes bytes and returns headers and rows."""

    def read_bytes(raw: bytes) -> tuple[list[str], list[Line]]:
        path = tmp_path / "x.csv"
        path.write_bytes(raw)
        file = CsvFile(path, name="x.csv")
        return file.headers, list(file.rows())

    return read_bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encoding_separator_and_line_ends_are_found_out(
    read: Any, encoding: str, separator: str, ending: str
) -> None:
    text = ending.join([separator.join(("Title", "Größe")), separator.join(("Ä – “x”", "1")), ""])
    headers, rows = read(text.encode(encoding))
    assert headers == ["Title", "Größe"]
    assert [row.cells for row in rows] == [["Ä – “x”", "1"]]


def test_lines_are_those_of_the_file(read: Any) -> None:
    _, rows = read(b'title,text\none,"a\nb\nc"\n\ntwo,x\n')
    assert [(row.number, row.cells[0]) for row in rows] == [(2, "one"), (6, "two")]


def test_a_quotation_that_is_never_closed_is_named_where_it_begins(read: Any) -> None:
    _, rows = read(b'title,text\none,x\ntwo,"never\nclosed\n')
    assert [(row.number, bool(row.fault)) for row in rows] == [(2, False), (3, True)]
    _, rows = read(b'title,text\none,"' + b"x" * 3_000_000)
    assert (rows[-1].number, "never closed" in rows[-1].fault) == (2, True)


@pytest.mark.parametrize("raw", [b"", b"\n\n\n", b"\x00\x00\x00", b"\x00,\x00\n", b'"', b"a," * 5000 + b"\n"])
def test_what_is_no_table_is_refused(read: Any, raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw)


@pytest.mark.parametrize(
    "cell", ["=1+1", "+x", "-x", "@x", "\tx", "＝x", "'=x", "''@x", "'plain", "plain'", "'"]
)
def test_the_apostrophe_before_a_formula_is_taken_off_again(cell: str) -> None:
    assert unescaped(escaped(cell)) == cell


def check(headers: list[str], *rows: list[str], mapping: Any = None) -> tuple[list[Any], Any]:
    """Check rows below headers."""
    checker = RowChecker(headers, mapping=read_mapping(mapping or {}), target=TARGET)
    return [checker.check(Line(number, row)) for number, row in enumerate(rows, 2)], checker.found


def test_every_fault_of_a_row_has_its_line_and_field() -> None:
    headers = ["title", "status", "priority", "estimate", "due_date", "type"]
    rows, found = check(headers, ["x" * 256, "nope", "P1", "1.234", "31.12.2026", "alien"], ["ok", "DONE"])
    assert rows[0] is None
    assert [(fault.line, fault.field) for fault in found.faults] == [
        (2, "title"), (2, "priority"), (2, "estimate"), (2, "due_date"), (2, "type"), (2, "status"),
    ]  # fmt: skip
    assert (rows[1].line, rows[1].values["status"]) == (3, "done")


def test_rows_may_be_shorter_and_not_longer_than_the_headers() -> None:
    rows, found = check(["title", "labels"], ["a"], ["b", "x", ""], ["c", "x", "more"])
    assert [bool(row) for row in rows] == [True, True, False]
    assert found.faults[0].line == 4


def test_nul_and_control_characters_are_refused_by_name() -> None:
    rows, found = check(["title", "description"], ["a\x00b", "ok"], ["ok", "a\x00b"], ["a\ud800", "x"])
    assert rows == [None, None, None]
    assert [(fault.line, fault.field) for fault in found.faults] == [
        (2, "title"), (3, "description"), (4, "title"),
    ]  # fmt: skip


def test_the_same_key_twice_is_named() -> None:
    _, found = check(["key", "title"], ["E-1", "a"], ["E-1", "b"])
    assert [(fault.line, fault.message) for fault in found.faults] == [(3, "is the same issue as line 2.")]


def test_of_repeated_headers_each_label_is_one_cell_and_other_fields_count_once() -> None:
    rows, found = check(["Title", "Labels", "Labels", "Title"], ["a", "x, y", "z", "b"])
    assert (rows[0].values["title"], rows[0].values["labels"]) == ("a", ("x, y", "z"))
    assert [column["action"] for column in found.columns.report] == ["kept", "kept", "kept", "dropped"]


@pytest.mark.parametrize(
    ("header", "field"),
    [("Summary", "title"), ("SUBJECT", "title"), ("Name", "title"), ("Story Points", "estimate"),
     ("Custom field (Story Points)", "estimate"), ("Component/s", "labels"), ("Fix Version/s", "milestone")],
)  # fmt: skip
def test_names_that_mean_the_same_are_proposed(header: str, field: str) -> None:
    headers = [header] if field == "title" else ["title", header]
    report = find_columns(headers, ColumnMapping()).report
    assert (report[-1]["to"], report[-1]["action"]) == (field, "mapped")


def test_the_mapping_wins_over_the_proposal_and_null_drops() -> None:
    mapping = read_mapping({"columns": {"Name": None, "What": "title", "Points": "estimate"}})
    columns = find_columns(["Name", "What", "points"], mapping)
    assert columns.places == {"title": (1,), "estimate": (2,)}
    flat = read_mapping({"What": "title"})
    assert find_columns(["What"], flat).places == {"title": (0,)}


@pytest.mark.parametrize(
    "sent",
    [{"columns": {"A": "alien"}}, {"columns": []}, {"values": {"status": 3}}, {"A": 3},
     {"source": 7, "columns": {}}, [], {"values": {"alien": {}}}],
)  # fmt: skip
def test_a_mapping_that_says_nothing_is_refused(sent: Any) -> None:
    with pytest.raises(Invalid):
        read_mapping(sent)


def test_a_mapping_of_values_is_used() -> None:
    rows, _ = check(
        ["title", "status", "priority"], ["a", "Doing", "P1"],
        mapping={"values": {"status": {"doing": "in progress"}, "priority": {"P1": "urgent"}}},
    )  # fmt: skip
    assert (rows[0].values["status"], rows[0].values["priority"]) == ("in_progress", "urgent")


def test_cells_become_values() -> None:
    assert labels('a, "b, c",d') == ("a", "b, c", "d")
    assert (str(estimate("3")), str(estimate("2.50"))) == ("3.00", "2.50")
    assert due_date("2026-12-01T10:00:00Z") == "2026-12-01"
    assert moment("14/Jul/25 3:42 PM").isoformat() == "2025-07-14T15:42:00+00:00"
    assert moment("2025-07-14T15:42:00.123+02:00").isoformat() == "2025-07-14T13:42:00.123000+00:00"
    assert [priority(word) for word in ("Blocker", "urgent", "1", "Minor")] == [
        "urgent",
        "urgent",
        "high",
        "low",
    ]
    for reader, cell in ((estimate, "NaN"), (estimate, "1e9"), (moment, "soon"), (due_date, "0001-01-01")):
        with pytest.raises(ValueError, match=r".+"):
            reader(cell)


def test_a_cell_with_quotes_is_read_as_csv_means_it(read: Any) -> None:
    out = StringIO()
    csv.writer(out).writerows([["title", "description"], ['say "hi", you', "line\nbreak"]])
    _, rows = read(out.getvalue().encode())
    assert rows[0].cells == ['say "hi", you', "line\nbreak"]
