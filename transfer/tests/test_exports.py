"""The list of issues as a file: the same issues in the same order, for everybody what they see."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from accounts.models import User
from issues.models import Issue, Project
from issues.services.labels import create_label
from issues.tests.api import ISSUES, queries
from tests.make import caller, make_issue, make_project
from transfer.csv_columns import COLUMNS, escaped, join_names, split_names, unescaped
from transfer.exporting import reading

pytestmark = pytest.mark.django_db
EXPORT = f"{ISSUES}/export"


@pytest.fixture
def project(admin: User) -> Project:
    """`API`, internal, with labels, one of them with a comma."""
    project = make_project("API", by=admin)
    for name in ("bug", "ui, web"):
        create_label(project.pk, by=caller(admin), name=name)
    return project


@pytest.fixture
def issues(project: Project, maintainer: User, reporter: User) -> list[Issue]:
    """`API-1` with everything, `API-2` with next to nothing, filed by the reporter."""
    fields = {"labels": ["bug", "ui, web"], "priority": "high", "estimate": 2.5, "due_date": "2026-12-01"}
    return [
        make_issue(project, by=maintainer, title='Say "hi", now', description="a\nb", **fields),
        make_issue(project, by=reporter, title="=1+1"),
    ]


def content(reply: Any) -> bytes:
    """The whole file."""
    return b"".join(reply.streaming_content)


def rows_of(reply: Any) -> list[dict[str, str]]:
    """A CSV as a reader of tables has it."""
    return list(csv.DictReader(io.StringIO(content(reply).decode("utf-8-sig"), newline="")))


def sheet_of(reply: Any) -> str:
    """The XML of the first sheet of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content(reply))) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


# --- the files ---------------------------------------------------------------------------------------
def test_csv_has_every_column_of_the_contract(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    reply = sign_in(maintainer).get(f"{EXPORT}?sort=created_at", headers={"Accept": "text/html"})
    assert (reply.status_code, reply["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert reply["Content-Disposition"].startswith('attachment; filename="issues-')
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert isinstance(reply, StreamingHttpResponse)
    raw = content(reply)
    head = (
        b"\xef\xbb\xbfkey,project,title,description,type,status,category,severity,priority,reporter,assignee,"
        b"labels,milestone,cycle,parent,estimate,due_date,department,created_at,updated_at,started_at,"
        b"closed_at,id\r\n"
    )
    assert raw.startswith(head)
    first, second = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    row = sign_in(maintainer).get(f"{ISSUES}/API-1").json()
    assert first == {
        "key": "API-1", "project": "API", "title": 'Say "hi", now', "description": "a\nb", "type": "task",
        "status": "open", "category": "unstarted", "severity": "medium", "priority": "high",
        "reporter": "Mia Maintainer", "assignee": "", "labels": 'bug, "ui, web"', "milestone": "",
        "cycle": "", "parent": "", "estimate": "2.5", "due_date": "2026-12-01", "department": "",
        "created_at": row["created_at"], "updated_at": row["updated_at"], "started_at": "", "closed_at": "",
        "id": row["id"],
    }  # fmt: skip
    assert second["title"] == "'=1+1"


@pytest.mark.parametrize(
    "cell",
    ["=1", "+1", "-1", "@a", "\ta", "\ra", "＝1", "＋1", "－1", "＠a", "'=1", "''-", "'a", "a=", "", "'"],
)  # fmt: skip
def test_no_cell_is_a_formula_and_each_comes_back(cell: str) -> None:
    written = escaped(cell)
    assert unescaped(written) == cell
    assert written[:1] not in {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b c"], ['say "hi"', "x, y", "z"], [",", '"', "' '"]])
def test_names_come_back_from_one_cell(names: list[str]) -> None:
    assert split_names(join_names(names)) == names
    assert split_names("a,b , c") == ["a", "b", "c"]


def test_json_is_the_list_of_the_api(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    client = sign_in(maintainer)
    reply = client.get(f"{EXPORT}?format=json&sort=-title")
    assert reply["Content-Type"] == "application/json"
    listed = client.get(f"{ISSUES}?include=description&sort=-title").json()["results"]
    assert json.loads(content(reply)) == listed
    nothing = client.get(f"{EXPORT}?format=json&priority=urgent")
    assert json.loads(content(nothing)) == []
    few = client.get(f"{EXPORT}?format=json&columns=key,status&sort=key")
    assert list(json.loads(content(few))[0]) == ["key", "status"]


def test_a_workbook_has_texts_and_no_formula(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    reply = sign_in(maintainer).get(f"{EXPORT}?format=xlsx&columns=title,key")
    assert reply["Content-Disposition"].endswith('.xlsx"')
    sheet = sheet_of(reply)
    assert "<f>" not in sheet
    for text in ("=1+1", "Say &quot;hi&quot;, now", "API-2", "title"):
        assert text in sheet or text.replace("&quot;", '"') in sheet
    assert "<row" in sheet_of(sign_in(maintainer).get(f"{EXPORT}?format=xlsx&priority=urgent"))


def test_columns_are_chosen_in_their_order(sign_in: Any, maintainer: User, issues: list[Issue]) -> None:
    reply = sign_in(maintainer).get(f"{EXPORT}?columns=title,key,title&sort=key")
    assert content(reply).decode("utf-8-sig").splitlines()[0] == "title,key"


# --- the same as the list ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query",
    ["", "status=done", "q=priority:high", "search=hi", "sort=-priority,key", "sort=due_date", "label=bug"],
)  # fmt: skip
def test_an_export_is_the_list(
    sign_in: Any, maintainer: User, project: Project, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 3)
    for number in range(11):
        make_issue(
            project, by=maintainer, title=f"hi {number % 4}", labels=["bug"] if number % 2 else [],
            priority=("none", "high")[number % 2], due_date=("2026-12-01", None)[number % 2],
            status=("open", "done")[number % 3 == 0],
        )  # fmt: skip
    client = sign_in(maintainer)
    listed = client.get(f"{ISSUES}?size=100&{query}").json()["results"]
    assert [row["key"] for row in rows_of(client.get(f"{EXPORT}?{query}"))] == [row["key"] for row in listed]
    assert listed


def test_everybody_gets_what_they_see(
    sign_in: Any, issues: list[Issue], reporter: User, outsider: User, developer: User, admin: User
) -> None:
    hidden = make_project("HID", by=admin, visibility="private")
    make_issue(hidden, by=admin)
    seen = {
        person.name: [row["key"] for row in rows_of(sign_in(person).get(f"{EXPORT}?sort=key"))]
        for person in (reporter, outsider, developer, admin)
    }
    assert list(seen.values()) == [["API-2"], [], ["API-1", "API-2"], ["API-1", "API-2", "HID-1"]]


def test_a_hidden_parent_is_not_named(sign_in: Any, project: Project, developer: User, admin: User) -> None:
    hidden = make_project("HID", by=admin, visibility="private")
    make_issue(hidden, by=admin)
    make_issue(project, by=admin, parent="HID-1")
    for kind in ("csv", "json"):
        assert b"HID" not in content(sign_in(developer).get(f"{EXPORT}?format={kind}"))
    assert rows_of(sign_in(admin).get(f"{EXPORT}?project=API"))[0]["parent"] == "HID-1"


# --- refusals and cost -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("format=pdf", "format"), ("columns=secret", "columns"), ("columns=category&format=json", "columns"),
        ("sort=secret", "sort"), ("size=5", "size"), ("cursor=x", "cursor"), ("status=nowhere", "status"),
        ("unknown=1", "unknown"), ("include=description", "include"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(
    sign_in: Any, maintainer: User, issues: list[Issue], query: str, wrong: str
) -> None:
    reply = sign_in(maintainer).get(f"{EXPORT}?{query}")
    assert reply.status_code == 400
    assert wrong in reply.json()["details"]["fields"]


def test_who_may_export_what(client: Any, sign_in: Any, maintainer: User, admin: User) -> None:
    assert client.get(EXPORT).status_code == 401
    assert sign_in(maintainer).get(f"{EXPORT}?trashed=true").status_code == 403
    assert sign_in(admin).get(f"{EXPORT}?trashed=true").status_code == 200
    head = sign_in(maintainer).head(EXPORT)
    assert (head.status_code, head["Content-Type"], head.content) == (200, "text/csv; charset=utf-8", b"")


def test_a_chunk_costs_two_queries(
    sign_in: Any, maintainer: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 5)
    for _ in range(20):
        make_issue(project, by=maintainer)
    client = sign_in(maintainer)
    content(client.get(EXPORT))
    with queries() as asked:
        assert len(rows_of(client.get(f"{EXPORT}?columns=key"))) == 20
    assert len(asked) <= 3 + 2 * 5, asked


@pytest.mark.django_db(transaction=True)
async def test_an_event_loop_sends_the_pieces_one_by_one(issues: list[Issue], maintainer: User) -> None:
    client = AsyncClient()
    await client.aforce_login(maintainer)
    reply: Any = await client.get(EXPORT)
    assert reply.is_async
    pieces = [piece async for piece in reply.streaming_content]
    await sync_to_async(connections.close_all)()
    assert pieces[0] == b"\xef\xbb\xbf"
    assert b"API-2" in b"".join(pieces)


def test_rows_are_written_while_others_are_still_unread() -> None:
    from transfer.exporting.writing import write_csv

    taken = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for taken in range(5000):  # noqa: B007  counted outside
            yield {"title": "x" * 100}

    pieces = write_csv(rows(), ["title"])
    next(pieces), next(pieces)
    assert taken < 1000
    assert len(COLUMNS) == 23
