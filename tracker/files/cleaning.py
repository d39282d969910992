"""Deletes files that no row refers to, once they are old. A file that a row refers to is never touched.

An app that stores files says which of some keys its rows refer to: `keeps("attachments", referenced)`.
Folders that nobody spoke for are left alone.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import structlog
from django.core.files.storage import default_storage

from tracker import clock
from tracker.files.storage import INCOMING, drop

KEPT: Final = timedelta(days=30)
UNFINISHED: Final = timedelta(days=1)
AT_ONCE: Final = 500
Referenced = Callable[[Collection[str]], Collection[str]]
"""Given keys, returns those of them that a row refers to."""

_log = structlog.get_logger(__name__)
_referenced: dict[str, Referenced] = {INCOMING: lambda _keys: ()}


def keeps(folder: str, referenced: Referenced) -> None:
    """Register who refers to the files of a folder."""
    _referenced[folder] = referenced


def clean_folders(*, at: datetime | None = None, pause: Callable[[], None] = lambda: None) -> int:
    """Delete files older than `KEPT` that no row refers to; return how many.

    Uploads that were never finished go after `UNFINISHED`. `pause` is called between batches. May run
    twice, also at once.
    """
    moment, count = at or clock.now(), 0
    for folder, referenced in _referenced.items():
        before = moment - (UNFINISHED if folder == INCOMING else KEPT)
        old = _old_files(folder, before=before)
        while keys := list(islice(old, AT_ONCE)):
            kept = set(referenced(keys))
            left_over = [key for key in keys if key not in kept]
            drop(left_over)
            count += len(left_over)
            pause()
    if count:
        _log.info("files_cleaned", count=count)
    return count


def _old_files(folder: str, *, before: datetime) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        key = f"{folder}/{name}"
        if _is_older(key, before):
            yield key
    for name in folders:
        yield from _old_files(f"{folder}/{name}", before=before)


def _is_older(key: str, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(key) < before
    except FileNotFoundError:  # it was deleted meanwhile
        return False
