"""TypedDicts to JSON Schema, so that an answer is declared once, as the type of the code that makes it."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Schema = dict[str, Any]
Register = Callable[[str, Callable[[], Schema]], Schema]
"""Given a component's name and what makes its schema: the reference to it."""

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    bool: {"type": "boolean"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    NoneType: {"type": "null"},
    object: {},
    Any: {},
}


def schema_of(shape: Any, register: Register) -> Schema:
    """Return the schema of a type: TypedDict, list, dict, union, Literal or a plain type.

    A TypedDict becomes a component under its name. A dict with the key "type" or "$ref" or "anyOf" is
    taken for a schema already.
    """
    if isinstance(shape, dict):
        return shape
    origin, inner = get_origin(shape), get_args(shape)
    if origin in {Annotated, Required, NotRequired}:
        return _annotated(schema_of(inner[0], register), inner[1:])
    if shape in _PLAIN:
        return dict(_PLAIN[shape])
    if is_typeddict(shape):
        return register(shape.__name__, lambda: _object(shape, register))
    if origin in {Union, UnionType}:
        return _union([schema_of(part, register) for part in inner])
    if origin is Literal:
        return _words(inner)
    if origin in {list, set, frozenset, tuple}:
        return {"type": "array", "items": schema_of(inner[0], register) if inner else {}}
    if origin is dict or shape is dict:
        values = schema_of(inner[1], register) if inner else {}
        return {"type": "object", "additionalProperties": values or True}
    if shape is list:
        return {"type": "array", "items": {}}
    raise TypeError(f"{shape!r} has no schema")


def _object(shape: Any, register: Register) -> Schema:
    hints = get_type_hints(shape, include_extras=True)
    schema: Schema = {
        "type": "object",
        "properties": {name: schema_of(hint, register) for name, hint in hints.items()},
        "required": sorted(shape.__required_keys__),
    }
    if not schema["required"]:
        del schema["required"]
    if shape.__doc__ and not shape.__doc__.startswith("dict("):
        schema["description"] = " ".join(shape.__doc__.split())
    return schema


def _annotated(schema: Schema, extras: tuple[Any, ...]) -> Schema:
    """Return the schema with what the annotation adds, such as `Annotated[str, {"format": "uri"}]`."""
    for extra in extras:
        if isinstance(extra, dict):
            schema = schema | extra
    return schema


def _words(words: tuple[Any, ...]) -> Schema:
    kinds = {type(word): _PLAIN[type(word)]["type"] for word in words}
    names = list(dict.fromkeys(kinds.values()))
    return {"type": names[0] if len(names) == 1 else names, "enum": list(words)}


def _union(parts: list[Schema]) -> Schema:
    plain = [part for part in parts if set(part) == {"type"}]
    if len(plain) == len(parts):
        return {"type": [part["type"] for part in parts]}
    if len(parts) == 2 and parts[1] == {"type": "null"} and isinstance(parts[0].get("type"), str):
        return parts[0] | {"type": [parts[0]["type"], "null"]}
    return {"anyOf": parts}
