"""The file of an attachment: how it is sent, in which parts, and that nothing in it runs."""

import hashlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from issues.models import Attachment, Issue
from issues.tests.api import queries
from tests.hostile import HTML, SVG, XML, pdf_with_script, picture, polyglot_gif
from tests.make import make_attachment, make_issue, make_project

pytestmark = pytest.mark.django_db
TEXT = bytes(range(65, 91)) * 10_000  # 260,000 bytes: more than one piece


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter)


@pytest.fixture
def attachment(issue: Issue, reporter: User) -> Attachment:
    """A text on it."""
    return make_attachment(issue, by=reporter, content=TEXT)


@pytest.fixture
def client(sign_in: Any, reporter: User) -> Client:
    """The reporter's."""
    signed_in: Client = sign_in(reporter)
    return signed_in


def path_of(attachment: Attachment) -> str:
    return f"/api/v1/attachments/{attachment.pk}/content"


def ask(client: Client, attachment: Attachment, **headers: str) -> Any:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return client.get(path_of(attachment), headers=named)


def body_of(reply: Any) -> bytes:
    return reply.getvalue() if reply.streaming else reply.content  # type: ignore[no-any-return]


def test_the_file_comes_back_as_it_was(client: Client, attachment: Attachment) -> None:
    reply = ask(client, attachment, Accept="text/html")
    assert (reply.status_code, body_of(reply)) == (200, TEXT)
    assert reply["Content-Length"] == str(len(TEXT))
    assert reply["ETag"] == f'"{hashlib.sha256(TEXT).hexdigest()}"'
    assert reply["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("content", [HTML, SVG, XML, polyglot_gif(), pdf_with_script(), picture()])
def test_nothing_in_a_file_is_run(client: Client, issue: Issue, reporter: User, content: bytes) -> None:
    reply = ask(client, make_attachment(issue, by=reporter, content=content, name="x.html"))
    assert body_of(reply) == content
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Cross-Origin-Resource-Policy"] == "same-origin"
    assert reply["Cache-Control"] == "private, no-store"
    is_picture = reply["Content-Type"].startswith("image/")
    assert reply["Content-Disposition"].startswith("inline" if is_picture else "attachment")
    assert reply["Content-Type"] in {
        "text/plain; charset=utf-8", "image/gif", "image/png", "application/pdf",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("plain.txt", 'attachment; filename="plain.txt"'),
        ('quo"te.txt', 'attachment; filename="quo\\"te.txt"'),
        ("日本.txt", "attachment; filename*=utf-8''%E6%97%A5%E6%9C%AC.txt"),
        ("a\r\nSet-Cookie: x=1.txt", 'attachment; filename="a Set-Cookie: x=1.txt"'),
    ],
)
def test_a_name_stays_inside_its_header(
    client: Client, issue: Issue, reporter: User, name: str, header: str
) -> None:
    reply = ask(client, make_attachment(issue, by=reporter, name=name))
    assert reply["Content-Disposition"] == header
    assert "Set-Cookie" not in reply
    body_of(reply)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=65530-65545", 65530, 65546),
        ("bytes=259990-", 259990, 260000),
        ("bytes=259990-999999", 259990, 260000),
        ("bytes=-10", 259990, 260000),
        ("bytes = 1 - 2", 1, 3),
    ],
)
def test_one_range_is_sent_alone(
    client: Client, attachment: Attachment, asked: str, start: int, end: int
) -> None:
    reply = ask(client, attachment, Range=asked)
    assert (reply.status_code, body_of(reply)) == (206, TEXT[start:end])
    assert reply["Content-Range"] == f"bytes {start}-{end - 1}/260000"
    assert reply["Content-Length"] == str(end - start)
    assert reply["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=", "x", "bytes=--5"]
)
def test_what_is_not_one_range_gets_the_whole(client: Client, attachment: Attachment, asked: str) -> None:
    reply = ask(client, attachment, Range=asked)
    assert (reply.status_code, len(body_of(reply))) == (200, len(TEXT))


@pytest.mark.parametrize("asked", ["bytes=260000-", "bytes=999999999999-", "bytes=-0", "bytes=300000-300001"])
def test_a_range_behind_the_end_is_416(client: Client, attachment: Attachment, asked: str) -> None:
    reply = ask(client, attachment, Range=asked)
    assert (reply.status_code, reply["Content-Range"]) == (416, "bytes */260000")
    assert reply.json()["error"] == "E_VALIDATION"


def test_a_range_belongs_to_the_state_that_if_range_names(client: Client, attachment: Attachment) -> None:
    tag = ask(client, attachment)["ETag"]
    for if_range, status in (
        (tag, 206),
        ('"other"', 200),
        (f"W/{tag}", 200),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 200),
    ):
        reply = ask(client, attachment, Range="bytes=0-4", If_Range=if_range)
        assert reply.status_code == status
        body_of(reply)


def test_who_has_the_file_already_gets_304(client: Client, attachment: Attachment) -> None:
    tag = ask(client, attachment)["ETag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        reply = ask(client, attachment, If_None_Match=header, Range="bytes=0-1")
        assert (reply.status_code, reply.content, reply["ETag"]) == (304, b"", tag)
    assert ask(client, attachment, If_None_Match='"x"').status_code == 200


def test_head_tells_the_size_and_sends_nothing(client: Client, attachment: Attachment) -> None:
    reply = client.head(path_of(attachment))
    assert (reply.status_code, body_of(reply)) == (200, b"")
    assert reply["Content-Length"] == str(len(TEXT))
    assert reply["Content-Disposition"] == 'attachment; filename="log.txt"'
    part = client.head(path_of(attachment), headers={"Range": "bytes=0-9"})
    assert (part.status_code, part["Content-Length"]) == (206, "10")


def test_a_row_without_its_file_is_404_and_no_failure(client: Client, attachment: Attachment) -> None:
    default_storage.delete(attachment.key)
    assert ask(client, attachment).status_code == 404


def test_a_file_that_is_not_ready_is_not_sent(client: Client, attachment: Attachment) -> None:
    for state in ("pending", "infected"):
        Attachment.objects.update(state=state)
        reply = ask(client, attachment)
        assert (reply.status_code, reply.json()["details"]) == (409, {"state": state})


def test_a_proxy_sends_the_file_where_the_operator_says_so(
    client: Client, attachment: Attachment, settings: Any
) -> None:
    settings.FILES_ACCEL_PREFIX = "/_files/"
    assert ask(client, attachment, Range="bytes=260000-").status_code == 416
    reply = ask(client, attachment, Range="bytes=0-4")
    assert (reply.status_code, body_of(reply)) == (200, b"")
    assert reply["X-Accel-Redirect"] == f"/_files/{attachment.key}"
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    default_storage.delete(attachment.key)
    lost = ask(client, attachment)
    assert (lost.status_code, lost.json()["error"]) == (404, "E_NOT_FOUND")


def test_the_file_costs_one_query_beside_the_identity(client: Client, attachment: Attachment) -> None:
    body_of(ask(client, attachment))
    with queries() as found:
        body_of(ask(client, attachment))
    assert len(found) <= 4, "\n".join(found)


def test_unknown_parameters_are_refused(client: Client, attachment: Attachment) -> None:
    assert client.get(f"{path_of(attachment)}?x=1").status_code == 400
