"""Attachments in the API and in their services: who may, what is kept, what is told."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from accounts.models import User
from issues.models import Attachment, Issue
from issues.services.attachments import add_attachment, delete_attachment, rename_attachment
from issues.services.issues import trash_issue
from issues.services.projects import archive_project
from issues.services.purging import purge_issue
from issues.tests.api import ISSUES, queries, send
from tests.hostile import HTML, SVG, huge_png, picture
from tests.make import caller, make_attachment, make_issue, make_project, make_upload
from tests.storage import stored_files
from tracker import clock
from tracker.errors import Conflict, Unsupported
from tracker.files.storage import incoming_folder
from tracker.models import Event, IdempotencyKey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_storage")]
ATTACHMENTS = "/api/v1/attachments"


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter, title="It breaks")


def attach(
    client: Client, content: bytes = b"What the log says.", name: str = "log.txt", **headers: str
) -> Any:
    """Send a file to `API-1`."""
    named = {header.replace("_", "-"): text for header, text in headers.items()}
    form = {"file": SimpleUploadedFile(name, content, content_type="text/html")}
    return client.post(f"{ISSUES}/API-1/attachments", form, headers=named)


# --- the API -----------------------------------------------------------------------------------------
def test_an_attachment_has_the_shape_of_the_contract(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    reply = attach(client)
    body = reply.json()
    assert reply.status_code == 201
    assert body == {
        "id": body["id"],
        "issue": "API-1",
        "filename": "log.txt",
        "size_bytes": 18,
        "content_type": "text/plain",
        "sha256": hashlib.sha256(b"What the log says.").hexdigest(),
        "state": "ready",
        "author": {"id": str(reporter.pk), "name": "Rita Reporter", "avatar_url": None},
        "created_at": body["created_at"],
        "content_url": f"http://127.0.0.1:8000{ATTACHMENTS}/{body['id']}/content",
        "thumbnail_url": None,
    }
    assert client.get(reply["Location"]).json() == client.get(f"{ATTACHMENTS}/{body['id']}/").json() == body
    assert client.get(f"{ISSUES}/API-1/attachments").json()["results"] == [body]
    assert client.get(f"{ISSUES}/API-1?include=attachments").json()["attachments"] == [body]
    assert "attachments" not in client.get(f"{ISSUES}/API-1").json()


def test_a_file_leaves_the_version_and_moves_the_activity(sign_in: Any, reporter: User, issue: Issue) -> None:
    before = sign_in(reporter).get(f"{ISSUES}/API-1").json()
    attach(sign_in(reporter))
    after = sign_in(reporter).get(f"{ISSUES}/API-1").json()
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    moved = Issue.objects.get()
    assert moved.activity_at == Attachment.objects.get().created_at > issue.activity_at


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("x" * 300 + ".txt", None),
        ('quo"te;.txt', 'quo"te;.txt'),
        ("日本語.txt", "日本語.txt"),
    ],
)
def test_names_are_cleaned(sign_in: Any, reporter: User, issue: Issue, sent: str, kept: str | None) -> None:
    boundary = "xXx"
    quoted = sent.replace('"', "%22") if kept is None else sent.replace("\\", "\\\\").replace('"', '\\"')
    raw = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        f"Content-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
    ).encode()
    reply = sign_in(reporter).generic(
        "POST", f"{ISSUES}/API-1/attachments", raw, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert reply.status_code == 201, reply.content
    name = reply.json()["filename"]
    assert name == kept if kept else (len(name) == 200 and name.endswith(".txt"))


@pytest.mark.parametrize("name", ["a\r\nb.txt", "nul\0.txt", "\u202e", "...", "a/b/c.txt"])
def test_the_service_cleans_names_too(reporter: User, issue: Issue, name: str) -> None:
    kept = make_attachment(issue, by=reporter, name=name).filename
    assert kept
    assert not set(kept) & set("\r\n\0\u202e/")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 400),
        ({"file": "no file"}, 400),
        ({"file": SimpleUploadedFile("empty.txt", b"")}, 400),
        ({"file": SimpleUploadedFile("a.txt", b"x"), "filename": "b.txt"}, 400),
        ({"file": SimpleUploadedFile("a.bin", b"\x7fELF\x02\x01\x01" + b"\0" * 200)}, 415),
        ({"file": SimpleUploadedFile("a.png", huge_png(20_000))}, 400),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_nothing(
    sign_in: Any, reporter: User, issue: Issue, form: Any, status: int
) -> None:
    reply = sign_in(reporter).post(f"{ISSUES}/API-1/attachments", form)
    assert (reply.status_code, reply["Content-Type"]) == (status, "application/json")
    assert Attachment.objects.count() == 0
    assert stored_files() == []


def test_json_is_no_upload(sign_in: Any, reporter: User, issue: Issue) -> None:
    assert send(sign_in(reporter), "post", f"{ISSUES}/API-1/attachments", {"file": "x"}).status_code == 415


def test_a_file_above_the_limit_is_refused_while_it_arrives(
    sign_in: Any, reporter: User, issue: Issue, settings: Any
) -> None:
    settings.MAX_UPLOAD_MIB = 1
    refused = attach(sign_in(reporter), b"x" * (1024 * 1024 + 1))
    assert (refused.status_code, refused.json()["error"]) == (413, "E_TOO_LARGE")
    assert "1 MiB" in refused.json()["message"]
    assert stored_files() == []
    assert attach(sign_in(reporter), b"x" * (1024 * 1024)).status_code == 201
    assert attach(sign_in(reporter), b"x" * (3 * 1024 * 1024)).status_code == 413


def test_an_upload_that_is_cut_off_is_refused(sign_in: Any, reporter: User, issue: Issue) -> None:
    whole = (
        b'--xXx\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        + b"hello " * 20_000
        + b"\r\n--xXx--\r\n"
    )
    client = sign_in(reporter)
    for end in (100, 5_000, len(whole) - 40):  # also what a Content-Length that is too small does
        reply = client.generic(
            "POST",
            f"{ISSUES}/API-1/attachments",
            whole[:end],
            content_type="multipart/form-data; boundary=xXx",
        )
        assert reply.status_code == 400, reply.content
        assert "cut off" in reply.json()["message"]
    assert Attachment.objects.count() == 0
    assert stored_files() == []


@pytest.mark.parametrize("content", [HTML, SVG])
def test_the_word_of_the_client_counts_for_nothing(
    sign_in: Any, reporter: User, issue: Issue, content: bytes
) -> None:
    assert attach(sign_in(reporter), content, "page.html").json()["content_type"] == "text/plain"
    assert attach(sign_in(reporter), picture(), "page.html").json()["content_type"] == "image/png"


def test_who_uploads_is_asked_before_anything_is_read(
    client: Client, sign_in: Any, outsider: User, issue: Issue, monkeypatch: Any
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr("tracker.files.uploads.SpoolFiles.new_file", fail)
    assert attach(client).status_code == 401
    assert attach(sign_in(outsider)).status_code == 404
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(outsider)
    assert attach(browser).status_code == 403


def test_a_session_uploads_with_its_token_in_the_header(reporter: User, issue: Issue) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reporter)
    browser.get("/issues/new/")
    assert attach(browser).status_code == 403
    assert attach(browser, X_CSRFToken=browser.cookies["csrftoken"].value).status_code == 201


def test_the_same_upload_again_gives_the_first_reply_again(
    sign_in: Any, reporter: User, issue: Issue
) -> None:
    client = sign_in(reporter)
    first = attach(client, Idempotency_Key="k")
    again = attach(client, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert attach(client, b"other", Idempotency_Key="k").status_code == 422
    assert attach(client, name="other.txt", Idempotency_Key="k").status_code == 422
    assert Attachment.objects.count() == 1
    assert len(stored_files()) == 1


def test_a_key_changes_nothing_in_the_order_of_refusals(
    sign_in: Any, reporter: User, outsider: User, issue: Issue, monkeypatch: Any
) -> None:
    def fail(_request: Any) -> None:
        raise AssertionError("the form was read")

    monkeypatch.setattr("tracker.api.forms.read_files", fail)
    assert attach(sign_in(outsider), Idempotency_Key="k").status_code == 404
    monkeypatch.setattr("issues.policy.can_attach", lambda _scope: False)
    assert attach(sign_in(reporter), Idempotency_Key="k").status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_an_upload_whose_reply_cannot_be_kept_leaves_no_file(
    sign_in: Any, reporter: User, issue: Issue, monkeypatch: Any
) -> None:
    def taken_over(*_: Any) -> None:
        raise Conflict("A request with this Idempotency-Key is still running.")

    monkeypatch.setattr("tracker.api.idempotency._store", taken_over)
    assert attach(sign_in(reporter), Idempotency_Key="k").status_code == 409
    assert Attachment.objects.count() == 0
    assert stored_files() == []


def test_own_files_are_renamed_and_deleted_and_maintainers_do_it_to_all(
    sign_in: Any, reporter: User, developer: User, maintainer: User, issue: Issue
) -> None:
    path = f"{ATTACHMENTS}/{make_attachment(issue, by=reporter).pk}"
    for method in ("put", "patch"):
        assert send(sign_in(developer), method, path, {"filename": "x.txt"}).status_code == 403
        for person in (reporter, maintainer):
            name = f"{method} {person.role}.txt"
            reply = send(sign_in(person), method, path, {"filename": name})
            assert (reply.status_code, reply.json()["filename"]) == (200, name)
    whole = sign_in(reporter).get(path).json()
    assert send(sign_in(reporter), "put", path, whole).json() == whole
    assert send(sign_in(reporter), "patch", path, {}).json() == whole
    assert sign_in(developer).delete(path).status_code == 403
    assert sign_in(maintainer).delete(path).status_code == 204
    assert sign_in(reporter).get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"filename": ""}, {"filename": "\u202e"}, {"filename": "..."}, {"filename": 5}, {"name": "x"}, []],
)
def test_a_bad_new_name_is_refused(sign_in: Any, reporter: User, issue: Issue, body: Any) -> None:
    path = f"{ATTACHMENTS}/{make_attachment(issue, by=reporter).pk}"
    assert send(sign_in(reporter), "patch", path, body).status_code == 400
    if body != {"filename": "\u202e"}:
        assert send(sign_in(reporter), "put", path, {}).status_code == 400


def test_what_is_hidden_is_absent(
    sign_in: Any, outsider: User, reporter: User, admin: User, issue: Issue
) -> None:
    attachment = make_attachment(issue, by=reporter)
    hidden = f"{ATTACHMENTS}/{attachment.pk}"
    client = sign_in(outsider)
    for path in (hidden, f"{hidden}/content", f"{ISSUES}/API-1/attachments", f"{ATTACHMENTS}/{uuid4()}"):
        assert client.get(path).status_code == 404
    assert client.get(f"{ATTACHMENTS}/nonsense").status_code == 404
    for method in ("put", "patch", "delete"):
        assert send(client, method, hidden, {"filename": "x"}).status_code == 404
    trash_issue(issue.pk, by=caller(admin))
    for person in (reporter, admin):
        for path in (hidden, f"{hidden}/content"):
            assert sign_in(person).get(path).status_code == 404


def test_an_archived_project_takes_no_files(sign_in: Any, reporter: User, admin: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter)
    archive_project(issue.project_id, by=caller(admin))
    client = sign_in(reporter)
    path = f"{ATTACHMENTS}/{attachment.pk}"
    assert attach(client).status_code == 409
    assert send(client, "patch", path, {"filename": "x.txt"}).status_code == 409
    assert client.delete(path).status_code == 409
    assert client.get(f"{path}/content").status_code == 200
    assert len(stored_files()) == 1


def test_presigned_uploads_are_not_there_yet(sign_in: Any, reporter: User, issue: Issue) -> None:
    for path in (f"{ATTACHMENTS}/presigned-url", f"{ATTACHMENTS}/presigned-url/", f"{ATTACHMENTS}/x/content"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert sign_in(reporter).generic(method, path).status_code == 404
    assert send(sign_in(reporter), "post", f"{ATTACHMENTS}/{uuid4()}/confirm", {}).status_code == 404


def test_a_list_costs_the_same_however_long_it_is(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_attachment(issue, by=reporter)
        client.get(f"{ISSUES}/API-1/attachments")
        with queries() as found:
            client.get(f"{ISSUES}/API-1/attachments")
        counts.append(len(found))
    assert counts[0] == counts[1] <= 6


def test_an_upload_costs_few_queries(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    attach(client)
    with queries() as found:
        attach(client)
    assert len(found) <= 13, "\n".join(found)


# --- events ------------------------------------------------------------------------------------------
def test_each_change_is_an_event_and_stands_in_the_timeline(
    sign_in: Any, reporter: User, issue: Issue
) -> None:
    attachment = make_attachment(issue, by=reporter)
    rename_attachment(attachment.pk, by=caller(reporter), filename="better.txt")
    rename_attachment(attachment.pk, by=caller(reporter), filename="better.txt")
    delete_attachment(attachment.pk, by=caller(reporter))

    events = Event.objects.filter(verb__startswith="attachment.").order_by("order")
    assert [(event.verb, event.changes) for event in events] == [
        ("attachment.added", {"filename": [None, "log.txt"]}),
        ("attachment.renamed", {"filename": ["log.txt", "better.txt"]}),
        ("attachment.deleted", {"filename": ["better.txt", None]}),
    ]
    assert {event.subject_id for event in events} == {attachment.pk}
    timeline = sign_in(reporter).get(f"{ISSUES}/API-1/timeline").json()["results"]
    assert [row["verb"] for row in timeline] == ["issue.created", *(event.verb for event in events)]
    assert sign_in(reporter).get(f"{ISSUES}/API-1/history").json()["results"] == []


@pytest.mark.django_db(transaction=True)
def test_the_log_tells_of_files_by_their_own_names(sign_in: Any, reporter: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter)
    rename_attachment(attachment.pk, by=caller(reporter), filename="better.txt")
    delete_attachment(attachment.pk, by=caller(reporter))
    told = sign_in(reporter).get("/api/v1/events?project=API").json()["results"]
    assert [event["event"] for event in told] == [
        "ISSUE_CREATED",
        "ATTACHMENT_ADDED",
        "ATTACHMENT_UPDATED",
        "ATTACHMENT_DELETED",
    ]
    assert all(event["issue"]["version"] == 1 for event in told)


# --- files and rows ----------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_deleted_attachment_takes_its_file_along(reporter: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter)
    assert [default_storage.path(attachment.key)] == [str(path) for path in stored_files()]
    with transaction.atomic():
        delete_attachment(attachment.pk, by=caller(reporter))
        transaction.set_rollback(True)
    assert len(stored_files()) == 1
    delete_attachment(attachment.pk, by=caller(reporter))
    assert stored_files() == []


@pytest.mark.django_db(transaction=True)
def test_a_purged_issue_takes_its_files_and_their_names_along(
    reporter: User, admin: User, issue: Issue
) -> None:
    make_attachment(issue, by=reporter, name="secret plan.txt")
    trash_issue(issue.pk, by=caller(admin))
    assert purge_issue(issue.pk, before=clock.now() + timedelta(days=1))
    assert stored_files() == []
    assert "secret plan" not in str(list(Event.objects.values_list("changes", "data")))


def test_a_row_that_cannot_be_written_leaves_no_file(reporter: User, issue: Issue, monkeypatch: Any) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("issues.services.attachments.record", fail)
    with pytest.raises(ZeroDivisionError):
        make_attachment(issue, by=reporter)
    assert stored_files() == []
    assert Attachment.objects.count() == 0


def test_a_refused_type_leaves_no_file(reporter: User, issue: Issue, settings: Any) -> None:
    settings.UPLOAD_TYPES = ["text/plain"]
    with make_upload(picture()) as upload, pytest.raises(Unsupported):
        add_attachment(issue.pk, by=caller(reporter), upload=upload)
    assert stored_files() == []
    assert list(incoming_folder().iterdir()) == []
