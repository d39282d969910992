"""Thumbnails: made behind the request, once, whatever happens between."""

import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from PIL import Image

from accounts.models import User
from issues.models import Attachment, Issue, Thumbnail
from issues.services import thumbnails
from issues.services.attachments import delete_attachment
from tests.hostile import HTML, picture, polyglot_gif
from tests.make import caller, make_attachment, make_issue, make_project
from tests.storage import stored_files
from tests.threads import at_once
from tracker import clock
from tracker.durable import LEASE, WorkState, drive, kind_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_storage")]
KIND = kind_of(Thumbnail)


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter)


def drawn(attachment: Attachment) -> Attachment:
    """Make the thumbnail, and return the attachment as it is then."""
    drive(KIND, Thumbnail.objects.get(attachment=attachment).pk)
    return Attachment.objects.get(pk=attachment.pk)


def test_an_image_gets_a_small_one_beside_it(sign_in: Any, reporter: User, issue: Issue) -> None:
    client = sign_in(reporter)
    attachment = make_attachment(issue, by=reporter, content=picture(size=(1600, 800)), name="big.png")
    path = f"/api/v1/attachments/{attachment.pk}"
    assert client.get(path).json()["thumbnail_url"] is None
    assert client.get(f"{path}/content?variant=thumbnail").status_code == 404

    drawn(attachment)

    assert client.get(path).json()["thumbnail_url"].endswith(f"{path}/content?variant=thumbnail")
    reply = client.get(f"{path}/content?variant=thumbnail")
    assert reply["Content-Type"] == "image/webp"
    assert reply["Content-Disposition"] == 'inline; filename="big.png.webp"'
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert Image.open(io.BytesIO(reply.getvalue())).size == (512, 256)
    assert client.get(f"{path}/content?variant=giant").status_code == 400
    assert Thumbnail.objects.get().state == WorkState.DONE


def test_only_images_have_one(reporter: User, issue: Issue) -> None:
    make_attachment(issue, by=reporter, content=HTML, name="picture.png")
    assert not Thumbnail.objects.exists()


def test_what_cannot_be_decoded_has_none_and_is_not_tried_again(reporter: User, issue: Issue) -> None:
    broken = make_attachment(issue, by=reporter, content=picture(size=(300, 300))[:70], name="broken.png")
    assert broken.content_type == "image/png"
    assert drawn(broken).thumbnail_key == ""
    assert Thumbnail.objects.get().state == WorkState.FAILED
    assert stored_files("thumbnails") == []


def test_nothing_of_a_polyglot_is_in_its_thumbnail(sign_in: Any, reporter: User, issue: Issue) -> None:
    attachment = drawn(make_attachment(issue, by=reporter, content=polyglot_gif()))
    for path in stored_files("thumbnails"):
        assert b"script" not in path.read_bytes()
    assert attachment.content_type == "image/gif"


@pytest.mark.parametrize("where", ["_picture", "store"])
def test_one_that_is_killed_half_way_is_made_later(
    reporter: User, issue: Issue, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    attachment = make_attachment(issue, by=reporter, content=picture())
    whole = getattr(thumbnails, where)

    def die(*args: Any, **kwargs: Any) -> None:
        whole(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(thumbnails, where, die)
        with pytest.raises(SystemExit):
            drawn(attachment)
    assert drawn(attachment).thumbnail_key == ""
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        assert drawn(attachment).thumbnail_key


@pytest.mark.django_db(transaction=True)
def test_told_many_times_it_is_made_once(reporter: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter, content=picture())
    row = Thumbnail.objects.get()
    at_once(3, lambda _: drive(KIND, row.pk))
    drawn(attachment)
    assert len(stored_files("thumbnails")) == 1
    delete_attachment(attachment.pk, by=caller(reporter))
    assert stored_files() == []


def test_a_deleted_attachment_takes_its_work_along(reporter: User, issue: Issue) -> None:
    attachment = make_attachment(issue, by=reporter, content=picture())
    row = Thumbnail.objects.get()
    delete_attachment(attachment.pk, by=caller(reporter))
    assert not drive(KIND, row.pk)
