"""Pictures of people: made anew, shown wherever a person is, one's own to change."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from accounts.models import User
from tests.hostile import SVG, huge_png, picture, polyglot_gif
from tests.make import fresh, make_issue, make_project
from tests.storage import stored_files
from tracker.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_storage")]
ME = "/api/v1/auth/me"


def send(client: Client, method: str = "PATCH", path: str = ME, **form: Any) -> Any:
    return client.generic(method, path, encode_multipart(BOUNDARY, form), content_type=MULTIPART_CONTENT)


def a_file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("me.html", content, content_type="text/html")


def test_a_picture_is_made_square_and_small_and_shown_everywhere(
    sign_in: Any, reporter: User, outsider: User
) -> None:
    client = sign_in(reporter)
    issue = make_issue(make_project("API"), by=reporter)
    assert client.get(f"/api/v1/issues/{issue.pk}").json()["reporter"]["avatar_url"] is None
    reply = send(client, avatar=a_file(picture("JPEG", (900, 400))), name="Rita R.")
    url = reply.json()["avatar_url"]
    assert (reply.status_code, reply.json()["name"]) == (200, "Rita R.")
    assert client.get(ME).json()["avatar_url"] == url
    assert client.get(f"/api/v1/issues/{issue.pk}").json()["reporter"]["avatar_url"] == url

    path = url.removeprefix("http://127.0.0.1:8000")
    shown = sign_in(outsider).get(path)
    assert shown["Content-Type"] == "image/webp"
    assert shown["Cache-Control"] == "private, max-age=31536000, immutable"
    assert shown["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert Image.open(io.BytesIO(shown.getvalue())).size == (256, 256)
    assert Client().get(path).status_code == 401
    assert len(stored_files()) == 1


def test_another_picture_has_another_address_and_the_old_one_is_gone(sign_in: Any, reporter: User) -> None:
    client = sign_in(reporter)
    first = send(client, "PUT", avatar=a_file(picture(size=(90, 90)))).json()["avatar_url"]
    second = send(client, avatar=a_file(polyglot_gif())).json()["avatar_url"]
    assert first != second
    assert client.get(first.removeprefix("http://127.0.0.1:8000")).status_code == 404
    assert len(stored_files()) == 1
    assert b"script" not in stored_files()[0].read_bytes()


@pytest.mark.parametrize("way", ["json", "form"])
def test_null_takes_the_picture_away(sign_in: Any, reporter: User, way: str) -> None:
    client = sign_in(reporter)
    send(client, avatar=a_file(picture()))
    if way == "json":
        reply: Any = client.patch(ME, {"avatar": None}, content_type="application/json")
    else:
        reply = send(client, avatar="")
    assert (reply.status_code, reply.json()["avatar_url"]) == (200, None)
    assert stored_files() == []
    assert fresh(reporter).avatar == ""


def test_what_was_read_may_be_sent_back_and_keeps_the_picture(sign_in: Any, reporter: User) -> None:
    client = sign_in(reporter)
    read = send(client, avatar=a_file(picture())).json()
    assert client.put(ME, read, content_type="application/json").json() == read
    assert send(client, name="Other").json()["avatar_url"] == read["avatar_url"]


@pytest.mark.parametrize("content", [b"no picture", SVG, b"", huge_png(20_000), picture()[:60]])
def test_what_is_no_picture_is_refused_by_name(sign_in: Any, reporter: User, content: bytes) -> None:
    reply = send(sign_in(reporter), avatar=a_file(content), name="Changed")
    assert (reply.status_code, list(reply.json()["details"]["fields"])) == (400, ["avatar"])
    assert stored_files() == []
    assert fresh(reporter).name == reporter.name


def test_a_camera_s_photo_is_taken_and_a_large_picture_of_another_kind_is_not(
    sign_in: Any, reporter: User
) -> None:
    client = sign_in(reporter)
    assert send(client, avatar=a_file(picture("JPEG", (4000, 3000)))).status_code == 200
    for large in (picture(size=(2001, 2000)), picture("JPEG", (2001, 2000), progressive=True)):
        reply = send(client, avatar=a_file(large))
        assert reply.status_code == 400
        assert reply.json()["details"]["fields"] == {
            "avatar": ["This picture may have at most 4 million pixels."]
        }
    assert send(client, avatar=a_file(picture(size=(2000, 2000)))).status_code == 200


def test_a_refused_change_keeps_no_picture(sign_in: Any, reporter: User) -> None:
    reply = send(sign_in(reporter), avatar=a_file(picture()), role="admin")
    assert reply.status_code == 403
    assert stored_files() == []


def test_nobody_sets_the_picture_of_another(sign_in: Any, admin: User, reporter: User) -> None:
    client = sign_in(admin)
    assert send(client, path=f"/api/v1/users/{reporter.pk}", avatar=a_file(picture())).status_code == 415
    body = {"avatar": None}
    reply = client.patch(f"/api/v1/users/{reporter.pk}", body, content_type="application/json")
    assert reply.status_code == 400


def test_the_log_says_that_the_picture_changed(sign_in: Any, reporter: User) -> None:
    client = sign_in(reporter)
    url = send(client, avatar=a_file(picture())).json()["avatar_url"]
    event = Event.objects.get(verb="user.changed")
    assert event.changes == {"avatar": [None, url.rpartition("/")[2]]}


# --- the page ----------------------------------------------------------------------------------------
def test_the_page_takes_shows_and_removes_a_picture(sign_in: Any, reporter: User) -> None:
    client = sign_in(reporter)
    assert "You have no picture yet" in client.get("/settings/avatar/").content.decode()
    reply = client.post("/settings/avatar/", {"avatar": a_file(picture())})
    assert (reply.status_code, reply["Location"]) == (302, "/settings/avatar/")
    assert fresh(reporter).avatar_path in client.get("/settings/avatar/").content.decode()
    assert client.post("/settings/avatar/", {"remove": "1"}).status_code == 302
    assert fresh(reporter).avatar == ""


def test_the_page_says_what_is_wrong_with_a_picture(sign_in: Any, reporter: User) -> None:
    client = sign_in(reporter)
    assert "Choose a picture first" in client.post("/settings/avatar/", {}).content.decode()
    reply = client.post("/settings/avatar/", {"avatar": a_file(SVG)})
    assert reply.status_code == 400
    assert "This is no picture" in reply.content.decode()
    assert client.get("/settings/profile/").status_code == 200
    assert Client().post("/settings/avatar/", {"avatar": a_file(picture())}).status_code == 302
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(reporter)
    assert guarded.post("/settings/avatar/", {"avatar": a_file(picture())}).status_code == 403
    assert stored_files() == []
