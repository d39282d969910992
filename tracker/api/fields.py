"""Fields of request bodies that take what the schema says: no number for a text, no "yes" for true."""

import math
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.operations import parse_day, parse_moment
from tracker.files.uploads import Upload


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field whose `read` returns the value, or raises TypeError or ValueError with a sentence."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value as Python has it."""
        try:
            return self.read(data)
        except (TypeError, ValueError) as problem:
            raise serializers.ValidationError(str(problem)) from None

    def to_representation(self, value: Any) -> Any:
        """Return the value as it is; answers are not made by these fields."""
        return value

    def read(self, data: Any) -> Any:
        """Return the value of what was sent."""
        raise NotImplementedError

    @property
    def is_form(self) -> bool:
        """Whether the body came as a form, in which every value is a text."""
        return bool(self.context.get("form"))


@extend_schema_field({"type": "string"})
class Text(StrictField):
    """A text, trimmed unless told otherwise, 1 to `max_length` characters, at most `max_bytes` in UTF-8."""

    def __init__(
        self,
        *,
        max_length: int | None = None,
        min_length: int = 0,
        max_bytes: int | None = None,
        trim: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.max_length, self.min_length, self.max_bytes, self.trim = max_length, min_length, max_bytes, trim
        schema: dict[str, Any] = {"type": "string"}
        if min_length:
            schema |= {"minLength": min_length, **({"pattern": r"\S"} if trim else {})}
        if max_length:
            schema["maxLength"] = max_length
        self._spectacular_annotation = {"field": schema}

    def read(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            raise TypeError("Must be a text.")
        text = data.strip() if self.trim else data
        if len(text) < self.min_length:
            raise ValueError("This field may not be blank." if self.min_length == 1 else "This is too short.")
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError(f"At most {self.max_length} characters.")
        if self.max_bytes is not None and len(text.encode()) > self.max_bytes:
            raise ValueError(f"At most {self.max_bytes // 1024} KiB.")
        return text


@extend_schema_field({"type": "boolean"})
class Flag(StrictField):
    """True or false."""

    def read(self, data: Any) -> bool:
        """Return the truth."""
        if self.is_form and data in {"true", "false"}:
            return bool(data == "true")
        if not isinstance(data, bool):
            raise TypeError("Must be true or false.")
        return data


class Whole(StrictField):
    """A whole number within bounds."""

    def __init__(self, *, minimum: int = -(2**31), maximum: int = 2**31 - 1, **options: Any) -> None:
        super().__init__(**options)
        self.minimum, self.maximum = minimum, maximum
        self._spectacular_annotation = {"field": {"type": "integer", "minimum": minimum, "maximum": maximum}}

    def read(self, data: Any) -> int:
        """Return the number."""
        if self.is_form and isinstance(data, str) and data.lstrip("-").isdecimal() and len(data) < 19:
            data = int(data)
        if isinstance(data, float) and data.is_integer():  # JSON knows one kind of number: 3.0 is 3
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            raise TypeError("Must be a whole number.")
        if not self.minimum <= data <= self.maximum:
            raise ValueError(f"Must be from {self.minimum} to {self.maximum}.")
        return data


class Amount(StrictField):
    """A number of at most `places` decimals within bounds, as a Decimal."""

    def __init__(self, *, minimum: int, maximum: int, places: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.minimum, self.maximum, self.places = minimum, maximum, places
        step = 1 / 10**places
        self._spectacular_annotation = {
            "field": {"type": "number", "minimum": minimum, "maximum": maximum, "multipleOf": step}
        }

    def read(self, data: Any) -> Decimal:
        """Return the number."""
        if (
            isinstance(data, bool)
            or not isinstance(data, int | float | str)
            or (isinstance(data, str) and not self.is_form)
        ):
            raise ValueError("Must be a number.")
        try:
            value = Decimal(str(data))
        except InvalidOperation:
            raise ValueError("Must be a number.") from None
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            raise ValueError(f"Must be from {self.minimum} to {self.maximum}.")
        if value != round(value, self.places):
            raise ValueError(f"At most {self.places} decimals.")
        return round(value, self.places)


@extend_schema_field({"type": "string", "format": "date"})
class Day(StrictField):
    """A date of the years 1900 to 2200."""

    def read(self, data: Any) -> date:
        """Return the date."""
        if not isinstance(data, str):
            raise TypeError("Must be a date such as 2026-12-01.")
        return parse_day(data)


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(StrictField):
    """A time with its zone."""

    def read(self, data: Any) -> datetime:
        """Return the time in UTC, cut to milliseconds."""
        if not isinstance(data, str):
            raise TypeError("Must be a time such as 2026-12-01T09:30:00Z.")
        return parse_moment(data)


@extend_schema_field({"type": "string", "format": "uuid"})
class Id(StrictField):
    """An id in its own form."""

    def read(self, data: Any) -> uuid.UUID:
        """Return the id."""
        try:
            return uuid.UUID(data)
        except (ValueError, AttributeError, TypeError):
            raise ValueError("Must be an id.") from None


class Choice(StrictField):
    """One of a closed set of words."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.choices = tuple(choices)
        words: list[str | None] = [*self.choices, *([None] if self.allow_null else [])]
        self._spectacular_annotation = {"field": {"type": "string", "enum": words}}

    def read(self, data: Any) -> str:
        """Return the word."""
        if not isinstance(data, str) or data not in self.choices:
            raise ValueError(f"Must be one of: {', '.join(self.choices)}.")
        return data


@extend_schema_field({"type": "string", "format": "binary"})
class UploadedFile(StrictField):
    """A file of a form, with something in it."""

    def read(self, data: Any) -> Upload:
        """Return the upload."""
        if not isinstance(data, Upload):
            raise TypeError("Must be a file.")
        if not data.size:
            raise ValueError("The file is empty.")
        return data


class Ref(StrictField):
    """A reference to another thing: its short form, or the form in which it is read.

    `Ref("slug", "name")` takes `"done"`, `{"slug": "done", …}` and `{"name": "Done", …}` and returns
    the first of these keys that is there, as text. What it names is for the service to find.
    """

    def __init__(self, *keys: str, max_length: int = 255, **options: Any) -> None:
        super().__init__(**options)
        self.keys, self.max_length = keys, max_length
        short = {"type": "string", "minLength": 1, "maxLength": max_length}
        long = [
            {"type": "object", "properties": {key: short}, "required": [key], "additionalProperties": True}
            for key in keys
        ]
        self._spectacular_annotation = {"field": {"anyOf": [short, *long]}}

    def read(self, data: Any) -> str:
        """Return the reference in its short form."""
        if isinstance(data, dict):
            data = next((data[key] for key in self.keys if data.get(key) is not None), None)
        if not isinstance(data, str) or not data.strip():
            raise ValueError(f"Must be a text, or an object with {' or '.join(self.keys)}.")
        if len(data) > self.max_length:
            raise ValueError(f"At most {self.max_length} characters.")
        return data.strip()
