"""Files on the page of an issue."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from issues.models import Attachment, Issue
from issues.services.projects import archive_project
from issues.tests.pages import page
from tests.make import caller, make_attachment, make_issue, make_project
from tests.storage import stored_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_storage")]
PAGE = "/issues/API-1/"


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter)


def attach(client: Client, content: bytes = b"text", name: str = "log.txt") -> Any:
    return client.post(f"{PAGE}attachments/", {"file": SimpleUploadedFile(name, content)})


def test_a_file_is_attached_and_shown_with_what_is_known_of_it(
    sign_in: Any, reporter: User, issue: Issue
) -> None:
    client = sign_in(reporter)
    assert "attachments-title" not in page(client, PAGE)
    reply = attach(client, name="<b>log</b>.txt")
    attachment = Attachment.objects.get()
    assert reply["Location"] == f"{PAGE}#attachment-{attachment.pk}"
    text = page(client, PAGE)
    assert f"/api/v1/attachments/{attachment.pk}/content" in text
    assert "b&gt;.txt" in text
    assert "<b>.txt" not in text
    assert re.search(r"4.bytes · text/plain · Rita Reporter", text)
    assert "attached" in text


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 400, "The file is empty"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 99, 415, "not accepted"),
    ],
)
def test_what_is_refused_is_told_beside_the_form(
    sign_in: Any, reporter: User, issue: Issue, content: bytes, status: int, told: str
) -> None:
    reply = attach(sign_in(reporter), content)
    assert reply.status_code == status
    assert told in reply.content.decode()
    assert "This field is required" in sign_in(reporter).post(f"{PAGE}attachments/").content.decode()
    assert stored_files() == []


def test_a_file_that_is_too_large_is_told_on_a_page(
    sign_in: Any, reporter: User, issue: Issue, settings: Any
) -> None:
    settings.MAX_UPLOAD_MIB = 1
    reply = attach(sign_in(reporter), b"x" * 1_100_000)
    assert (reply.status_code, "1 MiB" in reply.content.decode()) == (413, True)
    assert stored_files() == []


def test_a_file_is_renamed_and_deleted(sign_in: Any, reporter: User, issue: Issue) -> None:
    attachment, client = make_attachment(issue, by=reporter), sign_in(reporter)
    path = f"{PAGE}attachments/{attachment.pk}/"
    assert 'value="log.txt"' in page(client, f"{path}rename/")
    assert client.post(f"{path}rename/", {"filename": "better.txt"}).status_code == 302
    assert "better.txt" in page(client, PAGE)
    assert client.post(f"{path}rename/", {"filename": "..."}).status_code == 400
    assert "better.txt" in page(client, f"{path}delete/")
    assert client.post(f"{path}delete/").status_code == 302
    assert not Attachment.objects.exists()


def test_only_who_may_is_offered_changes(
    sign_in: Any, reporter: User, developer: User, maintainer: User, outsider: User, issue: Issue
) -> None:
    attachment = make_attachment(issue, by=reporter)
    path = f"{PAGE}attachments/{attachment.pk}/"
    assert f"{path}rename/" in page(sign_in(maintainer), PAGE)
    assert f"{path}rename/" not in page(sign_in(developer), PAGE)
    for action in ("rename", "delete"):
        assert sign_in(developer).post(f"{path}{action}/", {"filename": "x"}).status_code == 403
        assert sign_in(outsider).get(f"{path}{action}/").status_code == 404
    other = make_issue(issue.project, by=maintainer)
    wrong = f"/issues/API-{other.number}/attachments/{attachment.pk}/delete/"
    assert sign_in(maintainer).post(wrong).status_code == 404
    assert attach(sign_in(outsider)).status_code == 404
    assert Client().post(f"{PAGE}attachments/")["Location"].startswith("/accounts/login/")


def test_an_archived_project_offers_nothing(sign_in: Any, reporter: User, admin: User, issue: Issue) -> None:
    make_attachment(issue, by=reporter)
    archive_project(issue.project_id, by=caller(admin))
    text = page(sign_in(reporter), PAGE)
    assert "log.txt" in text
    assert "attach-form" not in text
    assert "/rename/" not in text
    assert attach(sign_in(reporter)).status_code == 409


def test_the_token_of_the_form_is_asked_for(reporter: User, issue: Issue) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(reporter)
    assert attach(client).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page(client, PAGE))
    assert token
    form = {"file": SimpleUploadedFile("a.txt", b"x"), "csrfmiddlewaretoken": token[1]}
    assert client.post(f"{PAGE}attachments/", form).status_code == 302


def test_files_of_a_page_cost_one_query(
    sign_in: Any, reporter: User, issue: Issue, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(reporter)
    for _ in range(5):
        make_attachment(issue, by=reporter)
    page(client, PAGE)
    with django_assert_max_num_queries(12):
        page(client, PAGE)
