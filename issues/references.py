"""Which files the rows of this app refer to, for the daily cleaning."""

from collections.abc import Collection

from issues.models import Attachment
from issues.services import attachments, thumbnails
from tracker.files.cleaning import keeps


def attached(keys: Collection[str]) -> Collection[str]:
    """Return those of these keys that are attachments' files."""
    return set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))


def drawn(keys: Collection[str]) -> Collection[str]:
    """Return those of these keys that are thumbnails of attachments."""
    return set(Attachment.objects.filter(thumbnail_key__in=keys).values_list("thumbnail_key", flat=True))


keeps(attachments.FOLDER, attached)
keeps(thumbnails.FOLDER, drawn)
