"""Deletes files that no row refers to, once they are old. A file that a row refers to is never touched.

An app that stores files says which of some keys its rows refer to, and which keys those are:
`keeps("attachments", referenced, rows=attached_keys)`; `doctor` asks it too. Folders that nobody spoke for
are left alone. An app whose files are elsewhere deletes its left-overs itself: `cleans(drop_old)`.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import structlog
from django.core.files.storage import default_storage
from django.db.models import QuerySet

from tracker import clock
from tracker.files.storage import INCOMING, drop

KEPT: Final = timedelta(days=30)
UNFINISHED: Final = timedelta(days=1)
AT_ONCE: Final = 500
Referenced = Callable[[Collection[str]], Collection[str]]
"""Given keys, returns those of them that a row refers to."""
Rows = Callable[[], QuerySet[Any, str]]
"""Returns the keys that rows refer to, in the order of the rows."""
Clean = Callable[[datetime], int]
"""Given the time, deletes what is left over; returns how many."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Who refers to the files of a folder."""

    referenced: Referenced
    rows: Rows


_log = structlog.get_logger(__name__)
folders: Final[dict[str, Folder]] = {}
_cleanings: Final[list[Clean]] = []


def keeps(folder: str, referenced: Referenced, *, rows: Rows) -> None:
    """Register who refers to the files of a folder."""
    folders[folder] = Folder(referenced, rows)


def cleans(clean: Clean) -> None:
    """Register who deletes left-overs that are not in the storage."""
    _cleanings.append(clean)


def clean_folders(*, at: datetime | None = None, pause: Callable[[], None] = lambda: None) -> int:
    """Delete files older than `KEPT` that no row refers to; return how many.

    Uploads that were never finished go after `UNFINISHED`. `pause` is called between batches. May run
    twice, also at once.
    """
    moment, count = at or clock.now(), 0
    for left_over in _left_over_batches(moment):
        drop(left_over)
        count += len(left_over)
        pause()
    for clean in _cleanings:
        count += clean(moment)
        pause()
    if count:
        _log.info("files_cleaned", count=count)
    return count


def unreferenced(folder: str, *, before: datetime) -> Iterator[list[str]]:
    """Give the keys of a folder's files older than `before` that no row refers to, a batch at a time."""
    old = _old_files(folder, before=before)
    while keys := list(islice(old, AT_ONCE)):
        kept = set(folders[folder].referenced(keys)) if folder in folders else set()
        yield [key for key in keys if key not in kept]


def _left_over_batches(moment: datetime) -> Iterator[list[str]]:
    yield from unreferenced(INCOMING, before=moment - UNFINISHED)
    for folder in folders:
        yield from unreferenced(folder, before=moment - KEPT)


def _old_files(folder: str, *, before: datetime) -> Iterator[str]:
    try:
        inner, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        key = f"{folder}/{name}"
        if _is_older(key, before):
            yield key
    for name in inner:
        yield from _old_files(f"{folder}/{name}", before=before)


def _is_older(key: str, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(key) < before
    except FileNotFoundError:  # it was deleted meanwhile
        return False
