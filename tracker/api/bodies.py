"""Request bodies: a closed set of fields, checked by type, of which only those that were sent come back."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from rest_framework import serializers

from tracker.api.errors import field_errors
from tracker.errors import Invalid

IGNORED: Final = frozenset(
    {
        "id", "key", "number", "url", "version", "seq",
        "created_at", "updated_at", "activity_at", "started_at", "closed_at", "edited_at", "deleted_at",
        "creator", "creator_id", "user_id", "is_staff", "is_superuser",
    }
)  # fmt: skip
"""Read-only everywhere, unless a body declares the name itself."""


class Body(serializers.Serializer[Any]):
    """The base of request bodies.

    Subclasses declare the fields that may be sent (see `tracker.api.fields` for strict ones) and, in
    `ignored`, the further read-only fields of the thing, so that what was read may be sent back.
    `required=True` fields are asked for by POST and PUT, not by PATCH.
    """

    ignored: ClassVar[frozenset[str]] = frozenset()


BodyClass = TypeVar("BodyClass", bound=serializers.Serializer[Any])


def check_body(
    body_class: type[BodyClass], data: Any, *, partial: bool, context: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the checked values of what was sent. Raises Invalid naming each bad or unknown field."""
    if not isinstance(data, dict):
        raise Invalid("The body must be a JSON object.")
    checked = body_class(data=data, partial=partial, context=dict(context or {}))
    known = checked.fields.keys()
    ignored: frozenset[str] = IGNORED | getattr(body_class, "ignored", frozenset())
    problems = {name: ["Unknown field."] for name in data if name not in known and name not in ignored}
    if not checked.is_valid():
        problems |= field_errors(checked.errors)
    if problems:
        raise Invalid(fields=problems)
    return {name: value for name, value in checked.validated_data.items() if name in data}
