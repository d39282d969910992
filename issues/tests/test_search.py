"""The search: what matches, in which order, for whom, and that it follows every change of a text."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.services.sessions import start_family
from issues.models import Comment, Issue, Project, SearchDocument
from issues.search import postgres
from issues.search.backend import backend
from issues.search.checks import check_search
from issues.services.comments import delete_comment, edit_comment
from issues.services.issues import change_status, edit_issue, restore_issue, trash_issue
from issues.services.purging import purge_trash
from issues.services.search_documents import ensure_search
from issues.tests.api import ISSUES, queries, send
from tests.make import caller, make_comment, make_issue, make_project
from tracker import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(admin: User) -> Project:
    """An internal project."""
    return make_project("API", by=admin)


def found(client: Client, words: str, **params: str) -> list[str]:
    """Return the keys of what a search finds, in its order."""
    reply = client.get(f"{ISSUES}/search", {"q": words, **params})
    assert reply.status_code == 200, reply.content
    return [row["key"] for row in reply.json()["results"]]


# --- what matches ----------------------------------------------------------------------------------
TEXTS = {
    "NullPointerException in foo_bar.py": (
        "NullPointerException", "nullpointerexception", "null", "pointer exception", "foo_bar.py", "foo_bar",
        "bar",
        '"NullPointerException in foo_bar.py"', "nullpoint", '"foo bar"', "NullPointer",
    ),
    "Since v1.2.3 see KEY-12 and RFC9110": (
        "v1.2.3", "v1.2", "1.2.3", '"1.2.3"', "KEY-12", "key 12", "RFC9110", "9110", "rfc",
    ),
    "Übergabe schlägt fehl, Straße gesperrt": (
        "übergabe", "ÜBERGABE", "uberg", "STRASSE", "strasse", "schlagt",
    ),
    "Ошибка при входе": ("ошибка", "ОШИБКА", "вход", '"при входе"'),
    "Σφάλμα στη ΣΎΝΔΕΣΗ": ("σφαλμα", "σύνδεση"),
    "ログインできない 登录失败 로그인실패": (
        "ログイン", "できない", "录失", "登录失败", "인실", '"ログイン"',
    ),
    "Naïve café ﬁle #5 🔥": ("naive", "cafe", "file", "🔥", "5"),
    "don't panic (100% sure): a/b": ("don't", "pan", "100%", "a/b", "panic)", "(100%"),
}  # fmt: skip


def test_words_of_any_language_are_found_whole_by_parts_and_by_their_beginning(
    sign_in: Any, project: Project, developer: User
) -> None:
    client = sign_in(developer)
    for title in TEXTS:
        make_issue(project, by=developer, title=title)
    for place, (title, queries_) in enumerate(TEXTS.items(), start=1):
        for query in queries_:
            assert f"API-{place}" in found(client, query), (title, query)


@pytest.mark.parametrize(
    "query",
    ["pointerexception", "ullpointer", "oo_bar", "2.1", "KEY-1", '"exception foo"', '"nullpoint"', "录登",
     '"exception null"', "вхо -ошибка", "ошибка -входе"],
)  # fmt: skip
def test_other_parts_are_not_found(sign_in: Any, project: Project, developer: User, query: str) -> None:
    for title in TEXTS:
        make_issue(project, by=developer, title=title)
    assert found(sign_in(developer), query) == []


def test_words_may_be_spread_over_title_description_and_comments(
    sign_in: Any, project: Project, developer: User
) -> None:
    issue = make_issue(project, by=developer, title="Alpha beta", description="gamma delta")
    make_comment(issue, by=developer, body="epsilon zeta")
    client = sign_in(developer)
    assert found(client, "beta gamma zeta") == ["API-1"]
    assert found(client, '"gamma delta" epsilon') == ["API-1"]
    for apart in ('"beta gamma"', '"delta epsilon"', "beta gamma -zeta", "beta omega"):
        assert found(client, apart) == [], apart


def test_titles_rank_before_descriptions_before_comments(
    sign_in: Any, project: Project, developer: User
) -> None:
    make_issue(project, by=developer, title="Cannot login")
    make_issue(project, by=developer, title="Two", description="login " * 3)
    make_comment(make_issue(project, by=developer, title="Three"), by=developer, body="login login login")
    make_issue(project, by=developer, title="Four")
    client = sign_in(developer)
    assert found(client, "login") == ["API-1", "API-2", "API-3"]
    assert found(client, "login", sort="-created_at") == ["API-3", "API-2", "API-1"]
    page, keys = client.get(f"{ISSUES}/search?q=login&size=1").json(), []
    while page["results"]:
        keys += [row["key"] for row in page["results"]]
        page = client.get(page["next"]).json() if page["next"] else {"results": []}
    assert keys == ["API-1", "API-2", "API-3"]
    assert client.get(f"{ISSUES}/search?q=login&page=1").json()["count"] == 3


def test_a_key_alone_finds_its_issue_first(sign_in: Any, project: Project, developer: User) -> None:
    make_issue(project, by=developer, title="One")
    make_issue(project, by=developer, title="Mentions API-1 and API-10")
    client = sign_in(developer)
    assert found(client, "api-1") == ["API-1", "API-2"]
    assert found(client, '"API-10"') == ["API-2"]
    assert found(client, "API-99") == []


def test_a_common_search_is_listed_by_time_and_walked_whole(
    sign_in: Any, project: Project, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_issue(project, by=developer, title="Cannot login")
    make_issue(project, by=developer, title="Two", description="login " * 3)
    make_comment(make_issue(project, by=developer, title="Three"), by=developer, body="login login login")
    monkeypatch.setattr(backend(), "is_common", lambda *_, **__: True)
    client = sign_in(developer)
    first = client.get(f"{ISSUES}/search?q=login&size=2").json()
    monkeypatch.setattr(backend(), "is_common", lambda *_, **__: False)
    rest = client.get(first["next"]).json()
    keys = [row["key"] for row in [*first["results"], *rest["results"]]]
    assert keys == ["API-3", "API-2", "API-1"]
    assert rest["next"] is None


# --- hostile input -----------------------------------------------------------------------------------
HOSTILE = [
    '"', '""', "*", "(", ")", ":", "-", "- -", "AND", "OR", "NEAR", "NOT", "AND OR NOT", "a AND",
    "OR b", "NEAR(a b)",
    "a:*", "':*", "'", "''", "\\", "\\'", "a'b", "a & b", "!a", "a | b", "<->", "a <2> b", "{title} : x",
    "title:x", '"a" *', "^a", "+a", "a + b", "%", "_", "%s", "%(a)s", "{}", "--", "/*", ";", "$$", "\t\n",
    "x" * 1000, "ab " * 49, "\u200b", "\u202e", "\ue000", "ﷺ", "İ", "ß", "a\u0301", "🔥", "-x -y", '-"x y"',
]  # fmt: skip


def test_no_sign_is_an_operator_and_nothing_fails(sign_in: Any, project: Project, developer: User) -> None:
    make_issue(project, by=developer, title="Nothing in it is asked for")
    client = sign_in(developer)
    for text in HOSTILE:
        for path, name in ((ISSUES, "search"), (ISSUES, "q"), (f"{ISSUES}/search", "q")):
            reply = client.get(path, {name: text})
            assert reply.status_code in {200, 400}, (text, reply.content)
            if reply.status_code == 400:
                assert list(reply.json()["details"]["fields"]) == [name], text


@pytest.mark.parametrize("text", ["a\0b", "\0", "x" * 10_000, "\ud800".encode("utf-8", "surrogatepass")])
def test_what_no_text_has_is_refused(sign_in: Any, project: Project, developer: User, text: Any) -> None:
    for name in ("q", "search"):
        reply = sign_in(developer).get(ISSUES, {name: text})
        assert (reply.status_code, reply.json()["error"]) == (400, "E_VALIDATION")


def test_signs_alone_find_nothing_and_beside_words_do_not_count(
    sign_in: Any, project: Project, developer: User
) -> None:
    make_issue(project, by=developer, title="Login")
    client = sign_in(developer)
    assert found(client, "***") == found(client, "( )") == []
    assert found(client, "*** login +") == ["API-1"]
    assert found(client, "-***") == ["API-1"]


# --- who sees what -----------------------------------------------------------------------------------
def test_an_internal_comment_is_found_by_who_may_read_it_alone(
    sign_in: Any, project: Project, developer: User, reporter: User
) -> None:
    issue = make_issue(project, by=reporter, title="Shown text", description="words here")
    make_comment(issue, by=developer, body="xyzzy shown plugh", internal=True)
    make_comment(issue, by=reporter, body="public words")
    inside, outside = sign_in(developer), sign_in(reporter)
    for query in ("xyzzy", '"xyzzy shown"', "shown plugh", "xyzzy public"):
        assert (found(inside, query), found(outside, query)) == (["API-1"], []), query
    assert (found(inside, "shown -xyzzy"), found(outside, "shown -xyzzy")) == ([], ["API-1"])
    assert (found(inside, "-plugh"), found(outside, "-plugh")) == ([], ["API-1"])
    assert outside.get(f"{ISSUES}?search=xyzzy&page=1").json()["count"] == 0
    assert b"xyzzy" not in outside.get(f"{ISSUES}/search?q=shown").content


def test_internal_comments_do_not_move_a_reporters_ranks(
    sign_in: Any, project: Project, developer: User, reporter: User
) -> None:
    first = make_issue(project, by=reporter, title="One", description="login")
    second = make_issue(project, by=reporter, title="Two", description="login")
    make_comment(first, by=developer, body="login " * 50, internal=True)
    make_comment(second, by=developer, body="nothing", internal=True)
    assert found(sign_in(reporter), "login") == ["API-2", "API-1"]


def test_private_projects_and_issues_of_others_are_not_found(
    sign_in: Any, project: Project, admin: User, developer: User, reporter: User
) -> None:
    private = make_project("SEC", by=admin, visibility="private")
    make_issue(private, by=admin, title="Login here")
    make_issue(project, by=developer, title="Login there")
    mine = make_issue(project, by=reporter, title="Login mine")
    assert sorted(found(sign_in(admin), "login")) == ["API-1", "API-2", "SEC-1"]
    assert sorted(found(sign_in(developer), "login")) == ["API-1", "API-2"]
    assert found(sign_in(reporter), "login") == [f"API-{mine.number}"]
    assert found(sign_in(developer), "SEC-1") == found(sign_in(reporter), "API-1") == []


# --- it follows each change ----------------------------------------------------------------------------
def test_edits_of_texts_and_comments_are_found_at_once(
    sign_in: Any, project: Project, developer: User, maintainer: User
) -> None:
    client, by = sign_in(developer), caller(developer)
    issue = make_issue(project, by=developer, title="aaaa", description="bbbb")
    comment = make_comment(issue, by=developer, body="cccc")
    secret = make_comment(issue, by=developer, body="dddd", internal=True)
    edit_issue(issue.pk, by=by, changes={"title": "eeee", "description": "ffff"})
    edit_comment(comment.pk, by=by, body="gggg")
    for old in ("aaaa", "bbbb", "cccc"):
        assert found(client, old) == [], old
    for new in ("eeee", "ffff", "gggg", "dddd", "eeee ffff gggg dddd"):
        assert found(client, new) == ["API-1"], new
    delete_comment(comment.pk, by=by)
    delete_comment(secret.pk, by=by)
    assert found(client, "gggg") == found(client, "dddd") == []
    assert found(client, "eeee") == ["API-1"]


def test_the_trash_hides_and_restoring_shows_again_and_purging_forgets(
    sign_in: Any, project: Project, admin: User
) -> None:
    client, issue = sign_in(admin), make_issue(project, by=admin, title="login")
    trash_issue(issue.pk, by=caller(admin))
    assert found(client, "login") == []
    assert found(client, "login", trashed="true") == ["API-1"]
    restore_issue(issue.pk, by=caller(admin))
    assert found(client, "login") == ["API-1"]
    trash_issue(issue.pk, by=caller(admin))
    assert purge_trash(at=clock.now() + timedelta(days=31)) == 1
    assert index_rows() == []
    make_issue(project, by=admin, title="another")
    assert found(client, "login", trashed="true") == found(client, "login") == []


def test_a_moved_issue_is_found_where_it_is_now(sign_in: Any, project: Project, admin: User) -> None:
    client, issue = sign_in(admin), make_issue(project, by=admin, title="login")
    make_project("WEB", by=admin)
    edit_issue(issue.pk, by=caller(admin), changes={"project": "WEB"})
    assert found(client, "login") == found(client, "API-1") == found(client, "WEB-1") == ["WEB-1"]
    assert found(client, "login project:API") == []


def index_rows() -> list[tuple[Any, ...]]:
    """Return what the index holds, by issue."""
    columns, join = "d.title, d.size_bytes, d.vector::text", ""
    if connection.vendor == "sqlite":
        columns = "d.title, t.title, t.description, t.comments, t.internal"
        join = "LEFT JOIN issues_searchtext t ON t.rowid = d.id "
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT d.issue_id, {columns} FROM issues_searchdocument d {join}ORDER BY 1")
        return [tuple(row) for row in cursor.fetchall()]


def test_a_rebuild_writes_what_was_written_with_the_changes(
    project: Project, developer: User, maintainer: User
) -> None:
    one = make_issue(project, by=developer, title="NullPointer in foo_bar v2", description="Über " * 300)
    two = make_issue(project, by=developer, title="Two")
    for number in range(5):
        body = f"comment {number} FooBar{number} 登录"
        make_comment(one, by=developer, body=body, internal=number % 2 == 1)
    edit_comment(make_comment(one, by=developer, body="before").pk, by=caller(developer), body="after")
    make_comment(one, by=developer, body="last")
    edit_issue(two.pk, by=caller(developer), changes={"description": "now with text"})
    written = index_rows()
    call_command("rebuild_search", verbosity=0)
    assert index_rows() == written
    SearchDocument.objects.filter(issue=one).delete()
    assert ensure_search() == 1
    assert sorted(map(str, index_rows())) == sorted(map(str, written))


def test_what_is_missing_is_made_again(sign_in: Any, project: Project, developer: User) -> None:
    make_issue(project, by=developer, title="login")
    connection.check_constraints()  # deferred keys would forbid the change of the table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE issues_searchdocument DROP COLUMN vector")
        else:
            cursor.execute("DROP TABLE issues_searchtext")
    assert backend().missing()
    assert [each.id for each in check_search(None, databases=["default"])] == ["issues.W002"]
    assert ensure_search() == 1
    assert check_search(None, databases=["default"]) == []
    assert found(sign_in(developer), "login") == ["API-1"]


def test_a_document_has_room_for_a_megabyte_and_no_more(
    sign_in: Any, project: Project, developer: User
) -> None:
    issue = make_issue(project, by=developer, title="long", description="начало " + "слово" * 5)
    for number in range(12):
        body = " ".join(f"n{number}{word:x}" for word in range(8000))
        make_comment(issue, by=developer, body=body[: 64 * 1024 - 1])
    assert found(sign_in(developer), "начало long n00") == ["API-1"]
    if connection.vendor == "postgresql":
        assert SearchDocument.objects.get(issue=issue).size_bytes <= postgres.MOST_BYTES


# --- similar titles -----------------------------------------------------------------------------------
def similar(client: Client, **params: str) -> list[tuple[str, float]]:
    """Return (key, score) of similar issues."""
    reply = client.get(f"{ISSUES}/similar", params)
    assert reply.status_code == 200, reply.content
    return [(row["issue"]["key"], row["score"]) for row in reply.json()["results"]]


def test_similar_titles_are_found_closed_ones_included(
    sign_in: Any, project: Project, maintainer: User, admin: User
) -> None:
    for title in ("Login fails on Safari", "Safari: login broken", "Export is slow", "Login"):
        make_issue(project, by=maintainer, title=title)
    make_issue(make_project("WEB", by=admin), by=maintainer, title="Login fails on safari")
    make_issue(project, by=maintainer, title="Other", description="login fails on safari")
    closed = Issue.objects.get(title="Login fails on Safari")
    for step in ("in_progress", "done"):
        change_status(closed.pk, by=caller(maintainer), to=step)
    client = sign_in(maintainer)
    found_ = similar(client, title="Login FAILS on Säfari", project="API")
    assert found_[0] == ("API-1", 1)
    assert [key for key, _ in found_] == ["API-1", "API-2"]
    assert 0.3 <= found_[1][1] < 1
    assert {key for key, _ in similar(client, title="login fails on safari")} >= {"API-1", "WEB-1"}
    assert ("API-4", 1) in similar(client, title="login", project="API")
    row = client.get(f"{ISSUES}/similar?title=login+fails&project=API").json()["results"][0]["issue"]
    assert "description" not in row
    assert row["status"]["category"] == "done"


def test_similar_shows_nothing_that_is_hidden(
    sign_in: Any, project: Project, admin: User, developer: User, reporter: User
) -> None:
    private = make_project("SEC", by=admin, visibility="private")
    make_issue(private, by=admin, title="Login fails on Safari")
    issue = make_issue(project, by=developer, title="Login fails on Safari")
    mine = make_issue(project, by=reporter, title="Something else")
    make_comment(mine, by=developer, body="Login fails on Safari", internal=True)
    asked = {"title": "Login fails on Safari"}
    assert similar(sign_in(developer), **asked) == [("API-1", 1)]
    assert similar(sign_in(reporter), **asked) == []
    trash_issue(issue.pk, by=caller(admin))
    assert similar(sign_in(developer), **asked) == []
    assert similar(sign_in(admin), **asked) == [("SEC-1", 1)]
    reply = sign_in(developer).get(f"{ISSUES}/similar?title=x&project=SEC")
    assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, ["project"])


def test_similar_takes_any_title(sign_in: Any, project: Project, developer: User, client: Client) -> None:
    make_issue(project, by=developer, title="Nothing in it is asked for")
    browser = sign_in(developer)
    for text in [*HOSTILE, "a b c d e f g h i j k l m n", "'' '' ''"]:
        assert browser.get(f"{ISSUES}/similar", {"title": text}).status_code in {200, 400}, text
    for query in ("", "title=a%00", "title=" + "x" * 1001, "title=x&nonsense=1"):
        assert browser.get(f"{ISSUES}/similar?{query}").status_code == 400, query
    assert client.get(f"{ISSUES}/similar?title=x").status_code == 401


def test_without_trigrams_in_the_database_titles_are_compared_here(
    sign_in: Any, project: Project, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("Login fails on Safari", "Safari: login broken", "Export is slow"):
        make_issue(project, by=developer, title=title)
    client = sign_in(developer)
    before = similar(client, title="login fails safari")
    monkeypatch.setattr(postgres, "_has_trigrams", lambda _: False)
    assert similar(client, title="login fails safari") == before
    assert [key for key, _ in before] == ["API-1", "API-2"]


# --- what it costs -------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_search_costs_five_queries_and_a_change_without_text_writes_nothing(
    project: Project, maintainer: User
) -> None:
    client = Client(headers={"Authorization": f"Bearer {start_family(maintainer).access}"})
    sent = {"project": "API", "title": "login"}
    assert send(client, "post", ISSUES, sent).status_code == 201
    client.get(ISSUES)
    with queries() as searched:
        assert found(client, "login") == ["API-1"]
    change = {"priority": "high", "title": "login"}
    with queries() as changed:
        assert send(client, "patch", f"{ISSUES}/API-1", change).status_code == 200
        assert send(client, "post", f"{ISSUES}/API-1/transitions", {"to": "triaged"}).status_code == 200
    with queries() as created:
        assert send(client, "post", ISSUES, sent).status_code == 201
    assert len(searched) <= 5, searched
    assert [sql for sql in changed if "search" in sql] == []
    assert len([sql for sql in created if "search" in sql]) <= (1 if connection.vendor == "postgresql" else 2)
    assert len(created) <= 10, created
    assert Comment.objects.count() == 0
    assert Issue.objects.count() == SearchDocument.objects.count() == 2
