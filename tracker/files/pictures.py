"""Pictures made anew from what was uploaded: nothing of the original's bytes is left in them."""

import io
import struct
from threading import Lock
from typing import IO, Final

from PIL import Image, ImageOps

from tracker.errors import Invalid
from tracker.files.kinds import MAX_PIXELS, open_image

THUMBNAIL_PIXELS: Final = 512
AVATAR_PIXELS: Final = 256
MAX_AVATAR_PIXELS: Final = 4_000_000
"""Decoded ones, while a request waits: a JPEG of a camera is decoded at a part of its size."""
MEDIA_TYPE: Final = "image/webp"
_one_at_a_time: Final = Lock()
_BROKEN: Final = (OSError, SyntaxError, ValueError, OverflowError, EOFError, struct.error, MemoryError)


def thumbnail(content: IO[bytes]) -> bytes:
    """Return an image of at most 512 pixels a side as WebP, the first picture of an animation.

    Raises `Invalid` for what cannot be decoded or is too large.
    """
    return _made(content, THUMBNAIL_PIXELS, is_square=False)


def avatar(content: IO[bytes]) -> bytes:
    """Return the square middle of an image, at most 256 pixels a side, as WebP; one at a time in a process.

    Raises `Invalid`, also where more than `MAX_AVATAR_PIXELS` would have to be decoded.
    """
    with _one_at_a_time:
        return _made(content, AVATAR_PIXELS, is_square=True, max_pixels=MAX_AVATAR_PIXELS)


def _made(content: IO[bytes], side: int, *, is_square: bool, max_pixels: int = MAX_PIXELS) -> bytes:
    image = open_image(content)
    if image is None:
        raise Invalid(fields={"file": ["This is no picture (PNG, JPEG, GIF or WebP)."]})
    try:
        decoded = image.width * image.height  # of a progressive JPEG all, whatever is asked for
        image.draft("RGB", (side * 2, side * 2))  # a JPEG is decoded at the size that is needed
        if not image.info.get("progressive"):
            decoded = image.width * image.height
        _require_few(decoded, max_pixels)
        picture = ImageOps.exif_transpose(image)
        picture = picture.convert("RGBA" if _has_transparency(picture) else "RGB")
        if is_square:
            edge = min(side, *picture.size)
            picture = ImageOps.fit(picture, (edge, edge))
        picture.thumbnail((side, side))
        return _encoded(picture)
    except _BROKEN:
        raise Invalid(fields={"file": ["This picture is broken."]}) from None


def _require_few(pixels: int, most: int) -> None:
    if pixels > most:
        raise Invalid(fields={"file": [f"This picture may have at most {most // 1_000_000} million pixels."]})


def _has_transparency(picture: Image.Image) -> bool:
    return picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info


def _encoded(picture: Image.Image) -> bytes:
    picture.info.clear()  # no EXIF, no profile, no comment
    held = io.BytesIO()
    picture.save(held, "WEBP", quality=80, method=4)
    return held.getvalue()
