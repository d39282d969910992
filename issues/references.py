"""Which files the rows of this app refer to, for the daily cleaning."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from issues.models import Attachment
from issues.services import attachments, thumbnails
from tracker.files.cleaning import keeps


def attached(keys: Collection[str]) -> Collection[str]:
    """Return those of these keys that are attachments' files."""
    return set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))


def drawn(keys: Collection[str]) -> Collection[str]:
    """Return those of these keys that are thumbnails of attachments."""
    return set(Attachment.objects.filter(thumbnail_key__in=keys).values_list("thumbnail_key", flat=True))


def _attached_keys() -> QuerySet[Any, str]:
    return Attachment.objects.order_by("pk").values_list("key", flat=True)


def _drawn_keys() -> QuerySet[Any, str]:
    return Attachment.objects.exclude(thumbnail_key="").order_by("pk").values_list("thumbnail_key", flat=True)


keeps(attachments.FOLDER, attached, rows=_attached_keys)
keeps(thumbnails.FOLDER, drawn, rows=_drawn_keys)
