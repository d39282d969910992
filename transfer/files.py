"""Files that wait for their import: under random names, readable by us alone, gone when it is over."""

import math
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from tracker import clock
from tracker.errors import Unavailable
from tracker.rollback import on_rollback

LEFT_OVER_AFTER: Final = timedelta(days=1)


def store_file(chunks: Iterable[bytes]) -> str:
    """Write a file and return its name. Raises `Unavailable` where there is no room; nothing is left then."""
    name = secrets.token_hex(16)
    path = path_of(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        drop_file(name)
        raise Unavailable("There is no room for the file. Nothing was stored.") from failure
    on_rollback(lambda: drop_file(name))
    return name


def path_of(name: str) -> Path:
    """Return where a file is."""
    return _folder() / name


def drop_file(name: str) -> None:
    """Delete a file, if it is still there."""
    path_of(name).unlink(missing_ok=True)


def drop_left_over(wanted: Iterable[str], *, at: datetime | None = None) -> int:
    """Delete old files that no import waits for; return how many."""
    left_over = old_files(wanted, before=(at or clock.now()) - LEFT_OVER_AFTER)
    for name in left_over:
        drop_file(name)
    return len(left_over)


def old_files(wanted: Iterable[str], *, before: datetime) -> list[str]:
    """Return the names of files from before then, but those that are wanted."""
    kept, oldest = set(wanted), before.timestamp()
    paths = (path for path in _folder().glob("*") if path.name not in kept)
    return [path.name for path in paths if _changed_at(path) < oldest]


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "imports"


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it was deleted meanwhile
        return math.inf
