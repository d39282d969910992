"""The one renderer for views of other packages; our own views answer by `tracker.api.replies`."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from tracker.api.replies import to_json


class OrjsonRenderer(BaseRenderer):
    """JSON in UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes, or none for no data."""
        return b"" if data is None else to_json(data)
