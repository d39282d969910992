"""Colours that people chose, as one of the palette's classes: the CSP allows no style attribute."""

import colorsys
import re
from functools import lru_cache
from typing import Final

_HEX: Final = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_GREY_SATURATION: Final = 0.18
# The hue, in degrees, at which each tint of `static/css/tokens.css` ends.
_ENDS: Final = (
    (12, 1),
    (36, 2),
    (60, 3),
    (105, 4),
    (165, 5),
    (200, 6),
    (228, 7),
    (268, 8),
    (320, 9),
    (361, 1),
)


@lru_cache(maxsize=4096)
def tint_class(color: str) -> str:
    """Return `tint-0` (grey) to `tint-9` for a colour such as `#3b82f6`."""
    match = _HEX.fullmatch(color)
    if match is None:
        return "tint-0"
    red, green, blue = (int(part, 16) / 255 for part in match.groups())
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < _GREY_SATURATION:
        return "tint-0"
    return f"tint-{next(tint for end, tint in _ENDS if hue * 360 < end)}"
