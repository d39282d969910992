"""Files that wait for their import: under random names, readable by us alone, gone when it is over."""

import os
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from tracker import clock
from tracker.errors import Unavailable

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
    return name


def path_of(name: str) -> Path:
    """Return where a file is."""
    return Path(settings.DATA_DIR) / "imports" / name


def drop_file(name: str) -> None:
    """Delete a file, if it is still there."""
    path_of(name).unlink(missing_ok=True)


def drop_left_over(wanted: Iterable[str]) -> int:
    """Delete old files that no import waits for; return how many."""
    kept, before, count = set(wanted), (clock.now() - LEFT_OVER_AFTER).timestamp(), 0
    for path in path_of("").parent.joinpath("imports").glob("*"):
        if path.name not in kept and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            count += 1
    return count
