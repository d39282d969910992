"""What a file is called: a name for people, never a path. The path is a random key."""

import secrets
import unicodedata
from typing import Final

MAX_NAME: Final = 200
"""Characters, the extension among them; file systems and browsers take 255 bytes."""
MAX_NAME_BYTES: Final = 240
_NO_NAME: Final = "file"
_LONGEST_EXTENSION: Final = 16


def clean_filename(name: str) -> str:
    """Return a name without directories, control characters and changes of direction; "" for nothing left.

    A long one is cut and keeps its extension.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(" " if char.isspace() else char for char in last if _is_shown(char))
    return _cut(" ".join(kept.split()).strip(". "))


def name_or_default(name: str) -> str:
    """Return the cleaned name of an upload, which always has one."""
    return clean_filename(name) or _NO_NAME


def new_key(folder: str) -> str:
    """Return a random key below a folder, spread over 256 directories."""
    token = secrets.token_hex(16)
    return f"{folder}/{token[:2]}/{token}"


def _is_shown(char: str) -> bool:
    """Whether a character may be in a name: no control, no format (U+202E), no lone surrogate."""
    return char in "\t\n\r" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    ending = dot + extension
    stem = stem[: MAX_NAME - len(ending)]
    while stem and len((stem + ending).encode()) > MAX_NAME_BYTES:
        stem = stem[:-1]
    return stem + ending
