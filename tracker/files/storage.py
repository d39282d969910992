"""Where files are kept: Django's default storage, by random keys. Locally in `DATA_DIR/files`, mode 600."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction

from tracker.errors import NotFound, Unavailable
from tracker.files.names import new_key
from tracker.rollback import on_rollback

CHUNK_BYTES: Final = 64 * 1024
INCOMING: Final = "incoming"
"""The folder of uploads under way, on the same file system, so that storing one is a rename."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_log = structlog.get_logger(__name__)


class LocalFiles(FileSystemStorage):
    """Files of this machine: on disk, and in their directory, before the row that names them is committed."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        _sync(content)
        stored: str = super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        folder = Path(self.path(stored)).parent
        if not hasattr(content, "temporary_file_path"):
            _sync_path(Path(self.path(stored)))
        _sync_path(folder)
        return stored


def store(content: "File[Any]", *, folder: str, ending: str = "") -> str:
    """Keep a file under a new random key and return the key. Raises `Unavailable` where there is no room."""
    key = new_key(folder) + ending
    try:
        stored = default_storage.save(key, content)
    except OSError as error:
        drop([key])
        raise refusal_of(error) from error
    on_rollback(lambda: drop([stored]))
    return stored


def refusal_of(error: OSError) -> Unavailable:
    """Return what to tell where a file could not be written; the cause is logged."""
    _log.error("file_not_stored", exc_info=error)
    if error.errno in _FULL:
        return Unavailable("There is no room left for files. Nothing was stored; tell the operator.")
    return Unavailable("Files cannot be stored right now. Nothing was stored; try again shortly.")


def drop(keys: Iterator[str] | list[str] | tuple[str, ...]) -> None:
    """Delete files; one that cannot be deleted is left to the daily cleaning."""
    for key in keys:
        try:
            default_storage.delete(key)
        except OSError:
            _log.warning("file_not_deleted", key=key, exc_info=True)


def drop_after_commit(keys: list[str]) -> None:
    """Delete files when the transaction that took their rows away is committed."""
    if keys:
        transaction.on_commit(lambda: drop(keys), robust=True)


def size_of(key: str) -> int:
    """Return the size of a stored file in bytes. Raises `NotFound` where the row has no file; logs it."""
    try:
        return default_storage.size(key)
    except FileNotFoundError:
        _log.error("file_missing", key=key)
        raise NotFound("The file is missing in the storage.") from None


def chunks_of(key: str, *, start: int, length: int) -> Iterator[bytes]:
    """Give `length` bytes of a stored file from `start` on, in pieces of `CHUNK_BYTES`."""
    with default_storage.open(key) as stored:
        stored.seek(start)
        while length > 0 and (piece := stored.read(min(CHUNK_BYTES, length))):
            length -= len(piece)
            yield piece


def incoming_folder() -> Path:
    """Return the folder of uploads under way, made where it is not there yet."""
    folder = Path(settings.MEDIA_ROOT) / INCOMING
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _sync(content: "File[bytes]") -> None:
    """Write what the process holds of an upload to the disk, so that the rename names whole content."""
    if hasattr(content, "temporary_file_path"):
        content.flush()
        os.fsync(content.fileno())


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
