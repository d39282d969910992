"""What is sent to begin an import."""

from typing import Any

import orjson
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema_field

from tracker.api.bodies import Body
from tracker.api.fields import Choice, Flag, Ref, StrictField
from transfer.models import ImportFormat, ImportMode


@extend_schema_field({"type": "string", "format": "binary"})
class ImportedFile(StrictField):
    """A file with something in it."""

    def read(self, data: Any) -> "UploadedFile[Any]":
        """Return the upload."""
        if not isinstance(data, UploadedFile):
            raise TypeError("Must be a file.")
        if not data.size:
            raise ValueError("The file is empty.")
        return data


@extend_schema_field({"type": "string", "maxLength": 65536, "contentMediaType": "application/json"})
class JsonText(StrictField):
    """A JSON object, which a form has as text."""

    def read(self, data: Any) -> dict[str, Any]:
        """Return the object."""
        if not isinstance(data, str) or len(data) > 64 * 1024:
            raise ValueError("Must be a JSON object of at most 64 KiB.")
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as problem:
            raise ValueError(f"This is no JSON: {problem}.") from None
        if not isinstance(value, dict):
            raise TypeError("Must be a JSON object.")
        return value


class ImportBody(Body):
    """A file, where its issues go, and how it is read."""

    file = ImportedFile()
    project = Ref("key", required=False)
    format = Choice(ImportFormat.values, required=False)
    mode = Choice(ImportMode.values, required=False)
    dry_run = Flag(required=False)
    mapping = JsonText(required=False)
