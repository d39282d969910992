"""Colours of statuses and labels."""

import re
from typing import Final

from tracker.errors import Invalid

COLOR_PATTERN: Final = r"^#[0-9a-fA-F]{6}$"
DEFAULT_COLOR: Final = "#6b7280"


def clean_color(value: object, *, field: str = "color") -> str:
    """Return `#rrggbb` in small letters. Raises `Invalid`."""
    if not isinstance(value, str) or not re.fullmatch(COLOR_PATTERN, value, re.ASCII):
        raise Invalid(fields={field: ["Must be a colour such as #3b82f6."]})
    return value.lower()
