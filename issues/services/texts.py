"""What a text must be to be stored, whoever sends it."""

import unicodedata
from typing import Final

from tracker.errors import Invalid

MAX_TITLE: Final = 255
MAX_NAME: Final = 100
MAX_TEXT_BYTES: Final = 64 * 1024


def clean_line(value: object, *, field: str, limit: int = MAX_NAME, required: bool = True) -> str:
    """Return one line, trimmed: 1 to `limit` characters (0 where not required), no control characters."""
    if not isinstance(value, str):
        raise Invalid(fields={field: ["Must be text."]})
    text = value.strip()
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise Invalid(fields={field: ["Control characters are not allowed here."]})
    if required and not text:
        raise Invalid(fields={field: ["May not be empty."]})
    if len(text) > limit:
        raise Invalid(fields={field: [f"At most {limit} characters; these are {len(text)}."]})
    return text


def clean_text(value: object, *, field: str, required: bool = False) -> str:
    """Return a text of many lines, at most 64 KiB in UTF-8, without NUL; line ends become LF."""
    if not isinstance(value, str):
        raise Invalid(fields={field: ["Must be text."]})
    text = value.replace("\r\n", "\n")
    if "\0" in text:
        raise Invalid(fields={field: ["NUL characters are not allowed."]})
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise Invalid(fields={field: ["This is not valid Unicode."]}) from None
    if size_bytes > MAX_TEXT_BYTES:
        raise Invalid(fields={field: [f"At most 64 KiB; this has {size_bytes} bytes."]})
    if required and not text.strip():
        raise Invalid(fields={field: ["May not be empty."]})
    return text
