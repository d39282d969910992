"""Uploads as they arrive: counted and hashed while they stream to the disk they will stay on.

Django's handlers are two here. `SkipFiles` is everybody's: a form that asks for no file stores none.
`SpoolFiles` is set by `read_files` for views that take files, after they know who asks.
"""

import contextlib
import hashlib
import tempfile
from typing import Any, Final, cast

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from tracker.errors import Invalid, TooLarge
from tracker.files.limits import MIB, file_limit_mib
from tracker.files.storage import incoming_folder, refusal_of

_CUT: Final = "The upload was cut off before its end. Nothing was stored."
Form = tuple[QueryDict, MultiValueDict[str, Any]]


class Upload(TemporaryUploadedFile):
    """A whole upload in a temporary file of mode 600; it is gone when it is closed and nobody stored it."""

    def __init__(self, name: str) -> None:
        # Not Django's own initialiser: that one writes to the system's temporary folder.
        opened = tempfile.NamedTemporaryFile(dir=incoming_folder(), suffix=".upload")  # noqa: SIM115  closed by `close`
        UploadedFile.__init__(self, opened, name, content_type="application/octet-stream", size=0)
        self.sha256 = ""


class SkipFiles(FileUploadHandler):
    """Reads past the files of a form that has no use for them."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Leave the file out."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Give nothing on."""
        return None

    def file_complete(self, file_size: int) -> None:
        """There is no file."""


class SpoolFiles(FileUploadHandler):
    """Writes each file to the disk, counting and hashing it. Refuses one above the limit of its path."""

    upload: Upload | None = None

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self._limit_mib = file_limit_mib(request.path_info)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open a temporary file. Raises `Unavailable` where there is no room."""
        super().new_file(*args, **kwargs)
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        try:
            self.upload = Upload(self.file_name or "")
        except OSError as error:
            raise refusal_of(error) from error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Write a piece. Raises `TooLarge` and `Unavailable`; what was written is gone then."""
        upload = cast("Upload", self.upload)
        self._size_bytes += len(raw_data)
        if self._size_bytes > self._limit_mib * MIB:
            self.give_up()
            raise TooLarge(f"A file may have at most {self._limit_mib} MiB.")
        self._hash.update(raw_data)
        try:
            upload.write(raw_data)
        except OSError as error:
            self.give_up()
            raise refusal_of(error) from error
        return None

    def file_complete(self, file_size: int) -> Upload | None:
        """Return the whole upload, at its beginning."""
        upload = cast("Upload", self.upload)
        try:
            upload.flush()
            upload.seek(0)
        except OSError as error:
            self.give_up()
            raise refusal_of(error) from error
        upload.size, upload.sha256 = self._size_bytes, self._hash.hexdigest()
        self.upload = None
        return upload

    def upload_interrupted(self) -> None:
        """Refuse what ended in the middle of a file."""
        self.give_up()
        raise Invalid(_CUT)

    def give_up(self) -> None:
        """Delete what there is of the file that is under way."""
        if self.upload is not None:
            with contextlib.suppress(OSError):  # closing writes once more where the disk is full
                self.upload.close()
            self.upload = None


def read_files(request: HttpRequest) -> Form:
    """Return fields and files of a form, whatever the method.

    Ask for it after it is settled that who asks may upload: before, nothing of the body is read. Raises
    `TooLarge` (a file), `Invalid` (malformed, cut off), `Unavailable` (disk full).
    """
    handler = SpoolFiles(request)
    if not hasattr(request, "_files"):  # it was parsed already where a token was looked for in the form
        request.upload_handlers = [handler]
    try:
        return _parse(request)
    except (UnreadablePostError, ConnectionError):
        raise Invalid(_CUT) from None
    finally:
        handler.give_up()


def _parse(request: HttpRequest) -> Form:
    if request.method == "POST":
        return request.POST, request.FILES
    # Django parses forms of POST alone
    try:
        parsed = MultiPartParser().parse(
            cast("Any", request),  # it has the read() that is asked for
            media_type=request.META.get("CONTENT_TYPE", ""),
            parser_context={"request": request, "encoding": "utf-8"},
        )
    except ParseError:
        raise Invalid("The form is malformed.") from None
    request._files = parsed.files  # type: ignore[attr-defined]  # the request closes them at its end
    return parsed.data, parsed.files
