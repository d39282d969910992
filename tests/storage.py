"""A pytest plugin: the files that tests leave in the storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage


def stored_files(folder: str = "") -> list[Path]:
    """Return every file of the storage, whole or under way."""
    return [path for path in Path(default_storage.path(folder)).rglob("*") if path.is_file()]


@pytest.fixture
def empty_storage() -> Iterator[None]:
    """No files before the test, and none after it."""
    _empty()
    yield
    _empty()


def _empty() -> None:
    for path in stored_files():
        path.unlink()
