"""Which imports wait for which files: for the daily cleaning, and for `doctor`."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from tracker import clock
from tracker.doctor import Depth, examines
from tracker.durable import OPEN_STATES
from tracker.files.cleaning import cleans
from tracker.files.doctor import GRACE
from transfer.files import LEFT_OVER_AFTER, drop_left_over, old_files, path_of
from transfer.models import Import


def drop_forgotten(at: datetime | None = None) -> int:
    """Delete old files that no import waits for; return how many."""
    return drop_left_over(_waiting().values_list("file_name", flat=True), at=at)


@examines("files of imports")
def _files(_depth: Depth) -> Iterator[str]:
    for run in _waiting().order_by("pk"):
        if not path_of(run.file_name).exists() and _waiting().filter(pk=run.pk).exists():
            yield f"The import {run.pk} waits, but its file is missing."
    wanted = _waiting().values_list("file_name", flat=True)
    for name in old_files(wanted, before=clock.now() - LEFT_OVER_AFTER - GRACE):
        yield f"No import waits for the old file imports/{name}; run: python manage.py clean_files"


def _waiting() -> QuerySet[Import]:
    """Return the runs that need their files; an undo needs none."""
    return Import.objects.filter(state__in=OPEN_STATES, is_undo=False)


cleans(drop_forgotten)
