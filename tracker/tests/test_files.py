"""Files: their names, what they are, and pictures made of them."""

import io
import stat
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from tests.hostile import HTML, SVG, XML, huge_png, pdf_with_script, picture, polyglot_gif, script_named_gif
from tests.hostile import zip_bomb as a_zip_bomb
from tests.make import make_upload
from tracker.errors import Invalid, NotFound, Unsupported
from tracker.files import pictures
from tracker.files.kinds import find_kind, is_accepted, require_accepted
from tracker.files.names import MAX_NAME, clean_filename, name_or_default, new_key
from tracker.files.storage import chunks_of, drop, incoming_folder, size_of, store


# --- names -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\r\nSet-Cookie: x=1.txt", "a Set-Cookie: x=1.txt"),
        ("nul\0byte.txt", "nulbyte.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ("  spaced   out .txt ", "spaced out .txt"),
        ("...", ""),
        ("", ""),
        ("/", ""),
        (".gitignore", "gitignore"),
        ("ü ß 日本語.txt", "ü ß 日本語.txt"),
        ("lone\ud800.txt", "lone.txt"),
    ],
)
def test_a_name_is_for_people_and_no_path(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    assert clean_filename("x" * 300 + ".tar") == "x" * (MAX_NAME - 4) + ".tar"
    assert len(clean_filename("日" * 300 + ".png").encode()) <= 240
    assert len(clean_filename("x." + "y" * 300)) == MAX_NAME
    assert name_or_default("\u202e") == "file"


def test_keys_are_random_and_below_their_folder() -> None:
    keys = {new_key("attachments") for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("attachments/") and len(key) == 47 for key in keys)


# --- types -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("GIF"), "image/gif"),
        (picture("WEBP"), "image/webp"),
        (picture("BMP"), "image/bmp"),
        (polyglot_gif(), "image/gif"),
        (script_named_gif(), "text/plain"),
        (HTML, "text/plain"),
        (SVG, "text/plain"),
        (XML, "text/plain"),
        ("Grüße\n".encode(), "text/plain"),
        (b"a,b\r\n1,2\r\n", "text/plain"),
        (pdf_with_script(), "application/pdf"),
        (a_zip_bomb(), "application/zip"),
        (b"\x1f\x8b\x08\x00aaaa\xff\xff", "application/gzip"),
        (b"\0\1\2\3" * 30, "application/octet-stream"),
        (b"\x89PNG\r\n\x1a\nnothing behind it", "application/octet-stream"),
        (b"text and then a NUL \0", "application/octet-stream"),
        (b"latin-1: \xe9t\xe9", "application/octet-stream"),
    ],
)
def test_the_type_is_found_from_the_content(content: bytes, content_type: str) -> None:
    assert find_kind(io.BytesIO(content)).content_type == content_type


@pytest.mark.parametrize("head", [b"\x7fELF\x02\x01\x01", b"MZ\x90\x00", b"\xca\xfe\xba\xbe", b"\0\1\2\3"])
def test_programs_and_unknown_files_are_not_accepted_unless_the_operator_says_so(
    head: bytes, settings: Any
) -> None:
    kind = find_kind(io.BytesIO(head + b"\0" * 200))
    with pytest.raises(Unsupported):
        require_accepted(kind)
    settings.UPLOAD_TYPES = ["*/*"]
    require_accepted(kind)


def test_office_files_are_known_without_unpacking_them() -> None:
    head = b"PK\x03\x04" + b"\0" * 26
    odt = head + b"mimetypeapplication/vnd.oasis.opendocument.textPK\x03\x04\xff"
    docx = head + b"[Content_Types].xml\xff\0" + b"\0" * 20_000 + b"word/document.xml"
    assert find_kind(io.BytesIO(odt)).content_type == "application/vnd.oasis.opendocument.text"
    assert find_kind(io.BytesIO(docx)).content_type.endswith("wordprocessingml.document")


def test_a_picture_of_too_many_pixels_is_refused_without_decoding_it() -> None:
    content = io.BytesIO(huge_png())
    tracemalloc.start()
    with pytest.raises(Invalid, match="million pixels"):
        find_kind(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    for make in (pictures.thumbnail, pictures.avatar):
        with pytest.raises(Invalid, match="million pixels"):
            make(content)


def test_the_list_of_types_decides(settings: Any) -> None:
    assert is_accepted("image/png", ["image/*"])
    assert not is_accepted("application/octet-stream", ["image/*", "text/plain"])
    settings.UPLOAD_TYPES = ["text/plain"]
    require_accepted(find_kind(io.BytesIO(b"text")))
    with pytest.raises(Unsupported, match="image/png"):
        require_accepted(find_kind(io.BytesIO(picture())))


# --- pictures ----------------------------------------------------------------------------------------
def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_thumbnail_is_made_anew_and_small(form: str) -> None:
    made = opened(pictures.thumbnail(io.BytesIO(picture(form, (1600, 800)) + b"<script>")))
    assert (made.format, made.size) == ("WEBP", (512, 256))
    assert b"script" not in pictures.thumbnail(io.BytesIO(picture(form) + b"<script>"))


def test_a_small_picture_is_not_made_larger() -> None:
    assert opened(pictures.thumbnail(io.BytesIO(picture(size=(40, 30))))).size == (40, 30)


def test_the_orientation_of_a_camera_is_followed_and_nothing_it_wrote_is_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "secret place"
    made = pictures.thumbnail(io.BytesIO(picture("JPEG", (60, 30), exif=exif.tobytes())))
    assert opened(made).size == (30, 60)
    assert b"secret" not in made


def test_of_an_animation_the_first_picture_is_taken() -> None:
    held = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "green", "blue")]
    frames[0].save(held, "GIF", save_all=True, append_images=frames[1:])
    made = opened(pictures.thumbnail(held))
    red, green, _blue = made.convert("RGB").getpixel((10, 10))  # type: ignore[misc]  # three of RGB
    assert red > 200 > 60 > green
    assert getattr(made, "n_frames", 1) == 1


def test_an_avatar_is_a_square_of_at_most_256_pixels() -> None:
    assert opened(pictures.avatar(io.BytesIO(picture(size=(900, 300))))).size == (256, 256)
    assert opened(pictures.avatar(io.BytesIO(picture(size=(90, 30))))).size == (30, 30)


@pytest.mark.parametrize("content", [b"", b"no picture", SVG, picture()[:60], picture("JPEG")[:200]])
def test_what_cannot_be_decoded_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        pictures.thumbnail(io.BytesIO(content))


# --- the storage -------------------------------------------------------------------------------------
def test_an_upload_is_kept_under_a_random_key_for_its_owner_alone() -> None:
    with make_upload(b"secret") as upload:
        before = Path(upload.temporary_file_path())
        key = store(upload, folder="attachments")
    path = Path(default_storage.path(key))
    assert not before.exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert size_of(key) == 6
    assert b"".join(chunks_of(key, start=1, length=3)) == b"ecr"
    drop([key])
    assert not path.exists()
    with pytest.raises(NotFound):
        size_of(key)


def test_content_without_a_file_is_kept_likewise() -> None:
    key = store(ContentFile(b"made here"), folder="thumbnails")
    assert stat.S_IMODE(Path(default_storage.path(key)).stat().st_mode) == 0o600
    drop([key])


def test_collected_static_files_are_for_everybody_to_read(tmp_path: Path) -> None:
    collected = StaticFilesStorage(location=str(tmp_path))
    name = collected.save("css/page.css", ContentFile(b"body {}"))
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644
    assert collected.directory_permissions_mode is None


def test_an_upload_that_nobody_stored_is_gone_when_it_is_closed() -> None:
    upload = make_upload()
    path = Path(upload.temporary_file_path())
    assert path.parent == incoming_folder()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    upload.close()
    assert not path.exists()
