"""Thumbnails: made behind the request, from the stored file, and named by the attachment's row."""

import uuid
from contextlib import AbstractContextManager

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from issues.models import Attachment
from tracker.errors import Invalid
from tracker.files import pictures
from tracker.files.storage import drop, store

FOLDER = "thumbnails"


def make_thumbnail(attachment_id: uuid.UUID, *, commit: AbstractContextManager[None]) -> bool:
    """Make the thumbnail of an image; return False where there is no image to make it of.

    The file is stored first; the row is written inside `commit`. Twice, or from the middle: one thumbnail.
    Raises `Unavailable` where there is no room.
    """
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    if attachment is None or attachment.thumbnail_key:
        return attachment is not None
    made = _picture(attachment.key)
    if made is None:
        return False
    key, is_named = store(ContentFile(made), folder=FOLDER), False
    try:
        with commit:
            lacking = Attachment.objects.filter(pk=attachment_id, thumbnail_key="")
            is_named = bool(lacking.update(thumbnail_key=key))
    except BaseException:
        is_named = False
        raise
    finally:
        if not is_named:
            drop([key])
    return True


def _picture(key: str) -> bytes | None:
    try:
        with default_storage.open(key) as stored:
            return pictures.thumbnail(stored)
    except (Invalid, FileNotFoundError):
        return None
