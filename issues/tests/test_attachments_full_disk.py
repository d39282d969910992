"""The disk is full at half an upload: a clear error, no row, no partial file; the rest works."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from issues.models import Attachment, Issue
from tests.make import make_issue, make_project
from tests.storage import stored_files
from tracker.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def small_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A file system of one MiB that the storage is on."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        settings.MEDIA_ROOT = str(place)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def issue(admin: User, reporter: User) -> Issue:
    """`API-1`, filed by the reporter."""
    return make_issue(make_project("API", by=admin), by=reporter)


def test_half_an_upload_leaves_nothing(sign_in: Any, reporter: User, issue: Issue, small_disk: Path) -> None:
    assert default_storage.path("x").startswith(str(small_disk))
    client = sign_in(reporter)

    def attach(size_bytes: int) -> Any:
        form = {"file": SimpleUploadedFile("a.txt", b"x" * size_bytes)}
        return client.post("/api/v1/issues/API-1/attachments", form)

    reply = attach(3 * 1024 * 1024)
    assert (reply.status_code, reply.json()["error"]) == (503, "E_UNAVAILABLE")
    assert "no room" in reply.json()["message"]
    assert reply["Retry-After"]
    assert stored_files() == []
    assert not Attachment.objects.exists()
    assert not Event.objects.filter(verb="attachment.added").exists()

    page = client.post(
        "/issues/API-1/attachments/", {"file": SimpleUploadedFile("a.txt", b"x" * 3 * 1024 * 1024)}
    )
    assert page.status_code == 503
    assert stored_files() == []

    assert client.get("/api/v1/issues/API-1").status_code == 200
    assert attach(1000).status_code == 201
    assert len(stored_files()) == 1
