"""How large a file may be, by where it is sent."""

from typing import Final

from django.conf import settings

MIB: Final = 1024 * 1024
IMPORT_PATHS: Final = frozenset({"/api/v1/issues/import"})
"""Where the files of imports go: tables of whole trackers, larger than what people attach."""


def file_limit_mib(path: str) -> int:
    """Return the size of a file that may be sent to a path, in MiB."""
    limit: int = settings.MAX_IMPORT_MIB if path.rstrip("/") in IMPORT_PATHS else settings.MAX_UPLOAD_MIB
    return limit


def form_limit_bytes(path: str) -> int:
    """Return the size of one such file and the form around it."""
    return (file_limit_mib(path) + 1) * MIB
