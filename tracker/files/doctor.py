"""What `doctor` examines of stored files: each row has its file, and what has no row goes in time."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, islice
from typing import Any, Final

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from tracker import clock
from tracker.doctor import Depth, examines
from tracker.files.cleaning import KEPT, Folder, folders, unreferenced

SAMPLE: Final = 100
"""Of the oldest and of the newest rows each."""
GRACE: Final = timedelta(days=2)
"""How late the daily cleaning may be."""


@examines("files of rows")
def _missing(depth: Depth) -> Iterator[str]:
    for folder in folders.values():
        for key in _sampled(folder.rows(), depth):
            if _is_lost(key, folder):
                yield f"A row refers to the file {key}, which is missing."


@examines("files without rows")
def _left_over(depth: Depth) -> Iterator[str]:
    """A file is written before its row, and a crash leaves it: it counts once the cleaning forgot it."""
    for name in folders:
        batches = unreferenced(name, before=clock.now() - KEPT - GRACE)
        for keys in batches if depth is Depth.EVERYTHING else islice(batches, 1):
            for key in keys:
                yield f"No row refers to the old file {key}; run: python manage.py clean_files"


def _sampled(keys: QuerySet[Any, str], depth: Depth) -> Iterator[str]:
    if depth is Depth.EVERYTHING or keys.count() <= 2 * SAMPLE:
        return keys.iterator(chunk_size=500)
    return chain(keys[:SAMPLE], keys.reverse()[:SAMPLE])


def _is_lost(key: str, folder: Folder) -> bool:
    """Whether there is no file although there is still a row: both may have gone meanwhile."""
    return not default_storage.exists(key) and bool(folder.referenced([key]))
