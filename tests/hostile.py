"""Files that want to be more than files: for tests of uploads, in the client and in a real browser."""

import io
import struct
import zipfile
import zlib

from PIL import Image

SCRIPT = "document.title='ran';try{top.document.title='ran'}catch(e){};alert(1)"
HTML = f'<!doctype html><html><body onload="{SCRIPT}"><script>{SCRIPT}</script></body></html>'.encode()
SVG = (f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"><script>{SCRIPT}</script></svg>').encode()
XML = (
    '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#x"?>'
    f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{SCRIPT}</script></html>'
).encode()


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    """An honest picture."""
    held = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(held, form, **options)
    return held.getvalue()


def polyglot_gif() -> bytes:
    """A GIF that browsers show, whose bytes are a script too, with markup behind it."""
    whole = picture("GIF")
    return whole[:6] + b"/*" + whole[8:] + b"*/=1;" + SCRIPT.encode() + b"//" + HTML


def script_named_gif() -> bytes:
    """A script that begins like a GIF and is none."""
    return b"GIF89a=1;" + SCRIPT.encode()


def huge_png(side: int = 50_000) -> bytes:
    """A PNG that says it has 50,000 × 50,000 pixels, and whose data would unpack to them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zip_bomb() -> bytes:
    """A small archive that unpacks to 200 MB."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as entry:
        for _ in range(200):
            entry.write(b"\0" * 1_000_000)
    return held.getvalue()


def pdf_with_script() -> bytes:
    """A PDF whose action is a script."""
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n\xff\xfe"
