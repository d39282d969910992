"""What may be sent to change many issues at once."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from issues.api.bodies import MAX_TEXT_BYTES, IssueBody
from issues.services.bulk import MAX_ISSUES
from tracker.api.bodies import Body, check_body
from tracker.api.fields import Flag, Ref, StrictField, Text
from tracker.errors import Invalid


class IssuesField(StrictField):
    """Issues by their ids or keys; one that is named twice counts once."""

    _one = Ref("id", "key", max_length=40)
    _spectacular_annotation: ClassVar[dict[str, Any]] = {
        "field": {"type": "array", "minItems": 1, "items": _one._spectacular_annotation["field"]}
    }

    def read(self, data: Any) -> list[str]:
        """Return the ids and keys as texts."""
        if not isinstance(data, list):
            raise ValueError("Must be a list of ids or keys.")  # noqa: TRY004  what `StrictField` makes a 400
        named = list(dict.fromkeys(self._one.read(item) for item in data))
        if not 0 < len(named) <= MAX_ISSUES:
            raise ValueError(f"Must name 1 to {MAX_ISSUES} issues.")
        return named


class BulkStatusBody(Body):
    """One status for many issues."""

    issue_ids = IssuesField()
    new_status = Ref("slug", max_length=50)


class BulkChanges(IssueBody):
    """The fields that change, as in PATCH of one issue."""

    title = Text(min_length=1, max_length=255, required=False)
    project = Ref("key", max_length=20, required=False)


@extend_schema_field(BulkChanges)
class ChangesField(serializers.Field[Any, Any, Any, Any]):
    """The changes as an object of its own: unknown fields inside are refused as they are outside."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the checked fields that were sent."""
        try:
            return check_body(BulkChanges, data, partial=True)
        except Invalid as refusal:
            raise serializers.ValidationError(refusal.fields or ["Must be an object."]) from None


class BulkBody(Body):
    """The same change of many issues, which are named or found by a query."""

    issue_ids = IssuesField(required=False)
    q = Text(min_length=1, max_length=1000, required=False)
    changes = ChangesField(required=False)
    atomic = Flag(required=False)
    dry_run = Flag(required=False)
    comment = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False, allow_null=True)
