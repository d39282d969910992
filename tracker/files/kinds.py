"""What a file is, found from its content alone: name and type that a client sends count for nothing."""

import codecs
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import IO, Any, Final

import puremagic
from django.conf import settings
from PIL import Image, UnidentifiedImageError

from tracker.errors import Invalid, Unsupported

IMAGES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
"""The images that are looked into: by Pillow's name. These alone have thumbnails and show in a browser."""
INLINE: Final = frozenset(IMAGES.values())
TEXT: Final = "text/plain"
UNKNOWN: Final = "application/octet-stream"
MAX_PIXELS: Final = 40_000_000
_HEAD_BYTES: Final = 8 * 1024
_TAIL_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 256 * 1024
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_OFFICE_PARTS: Final = {
    b"word/document.xml": f"{_OFFICE}.wordprocessingml.document",
    b"xl/workbook.xml": f"{_OFFICE}.spreadsheetml.sheet",
    b"ppt/presentation.xml": f"{_OFFICE}.presentationml.presentation",
}
_OTHER_NAMES: Final = {
    "application/x-gzip": "application/gzip",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
}
_NO_TEXT: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}

# Sizes are compared with `MAX_PIXELS` here, from the header alone; Pillow's own limit would only warn.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What was found; `width` and `height` of images in pixels."""

    content_type: str
    width: int = 0
    height: int = 0

    @property
    def is_image(self) -> bool:
        """Whether it is one of the images that are looked into."""
        return self.content_type in INLINE


def find_kind(content: IO[bytes]) -> Kind:
    """Return what a seekable file is, without decoding or unpacking anything; it is at its beginning again.

    Raises `Invalid` for an image of more than `MAX_PIXELS`.
    """
    try:
        content.seek(0)
        head = content.read(_HEAD_BYTES)
        return _image(content, head) or Kind(_other(content, head))
    finally:
        content.seek(0)


def require_accepted(kind: Kind) -> None:
    """Raise `Unsupported` where the operator's `UPLOAD_TYPES` leave this type out."""
    if not is_accepted(kind.content_type, settings.UPLOAD_TYPES):
        raise Unsupported(f"Files of this type ({kind.content_type}) are not accepted here.")


def is_accepted(content_type: str, patterns: Sequence[str]) -> bool:
    """Whether a type is in a list of types, in which `*` stands for anything: `image/*`."""
    return any(fnmatchcase(content_type, pattern) for pattern in patterns)


def open_image(content: IO[bytes]) -> Image.Image | None:
    """Return an image of which only the header was read; None for what Pillow does not take for one.

    Raises `Invalid` for more than `MAX_PIXELS`.
    """
    content.seek(0)
    try:
        image = Image.open(content, formats=tuple(IMAGES))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, OverflowError, EOFError, struct.error):
        return None
    if image.width * image.height > MAX_PIXELS:
        raise Invalid(
            fields={"file": [f"An image may have at most {MAX_PIXELS // 1_000_000} million pixels."]}
        )
    return image


def _image(content: IO[bytes], head: bytes) -> Kind | None:
    if not head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")):
        return None
    image = open_image(content)
    if image is None or image.width < 1 or image.height < 1:
        return None
    return Kind(IMAGES[image.format or ""], image.width, image.height)


def _other(content: IO[bytes], head: bytes) -> str:
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if _is_text(content):
        return TEXT
    if head.startswith(b"PK\x03\x04"):
        return _package(content, head)
    return _by_signature(head)


def _is_text(content: IO[bytes]) -> bool:
    """Whether the whole file is UTF-8 without control characters. Markup and scripts are text as well."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    content.seek(0)
    try:
        while piece := content.read(_CHUNK_BYTES):
            if not _NO_TEXT.isdisjoint(piece):
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _package(content: IO[bytes], head: bytes) -> str:
    """Return the type of a zip file by names in its head and directory, looked at as bytes alone."""
    if head[30:38] == b"mimetype" and head[38:].startswith(b"application/vnd.oasis.opendocument."):
        declared = head[38:100].partition(b"PK")[0]
        if declared.replace(b".", b"").replace(b"/", b"").replace(b"-", b"").isalpha():
            return declared.decode()
    end = content.seek(0, 2)
    content.seek(max(0, end - _TAIL_BYTES))
    seen = head + content.read(_TAIL_BYTES)
    if b"[Content_Types].xml" in seen:
        for part, content_type in _OFFICE_PARTS.items():
            if part in seen:
                return content_type
    return "application/zip"


def _by_signature(head: bytes) -> str:
    try:
        found: list[Any] = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    # Of what is no text, a signature of markup says nothing; of images those that Pillow did not know.
    names = [str(match.mime_type) for match in found if match.mime_type]
    name = next((name for name in names if not name.startswith("text/") and name not in INLINE), UNKNOWN)
    return _OTHER_NAMES.get(name, name)[:100]
