"""The OpenAPI description of operations: what `@operation` declares and what the base view does."""

import copy
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from tracker.api import conditions, errors, shapes
from tracker.api.operations import MAX_QUERY_TEXT, Operation, Param, operation_of

Schema = dict[str, Any]

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECURITY: Final[dict[str, Schema]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of `auth/login`, or a personal token.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of the pages; changes also need the header `X-CSRFToken`.",
    },
}
_HEADERS: Final[dict[str, Schema]] = {
    "RequestId": {"schema": {"type": "string"}, "description": "Names this request in our log."},
    "RateLimit": {"schema": {"type": "integer"}, "description": "Requests that this minute has."},
    "RateLimitRemaining": {
        "schema": {"type": "integer"},
        "description": "Requests that are left in this minute.",
    },
    "RateLimitReset": {
        "schema": {"type": "integer"},
        "description": "When the minute ends, in seconds since 1970.",
    },
    "RetryAfter": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next try."},
    "Authenticate": {"schema": {"type": "string"}, "description": "`Bearer`."},
    "Allow": {"schema": {"type": "string"}, "description": "The methods that there are."},
    "ETag": {
        "schema": {"type": "string"},
        "description": "The version, in quotes: for If-Match and If-None-Match.",
    },
    "ContentRange": {"schema": {"type": "string"}, "description": "Which bytes these are, and of how many."},
    "Link": {"schema": {"type": "string"}, "description": "The next and the previous page."},
    "Replayed": {
        "schema": {"type": "string"},
        "description": "`true` where this is the kept reply of an earlier request.",
    },
}
_COMMON_HEADERS: Final = {
    "X-Request-ID": "RequestId",
    "X-RateLimit-Limit": "RateLimit",
    "X-RateLimit-Remaining": "RateLimitRemaining",
    "X-RateLimit-Reset": "RateLimitReset",
}
_ERROR_HEADERS: Final[dict[int, dict[str, str]]] = {
    416: {"Content-Range": "ContentRange"},
    401: {"WWW-Authenticate": "Authenticate"},
    405: {"Allow": "Allow"},
    429: {"Retry-After": "RetryAfter"},
    503: {"Retry-After": "RetryAfter"},
}
_ERROR: Final[Schema] = {
    "type": "object",
    "description": "Why the request was refused.",
    "properties": {
        "error": {"type": "string", "enum": list(errors.STATUSES)},
        "message": {"type": "string", "description": "One sentence for a person."},
        "details": {
            "type": "object",
            "properties": {
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    "description": "What is wrong with which field or parameter.",
                }
            },
            "additionalProperties": True,
        },
        "request_id": {"type": "string"},
    },
    "required": ["error", "message", "details", "request_id"],
}
_PARAM_SCHEMAS: Final[dict[str, Schema]] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "flag": {"type": "string", "enum": ["true", "false", "1", "0"]},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "choice": {"type": "string"},
}


class ApiSchema(AutoSchema):
    """Describes one method of an `ApiView`."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Schema | None:
        """Return the operation object."""
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method.upper()
        handler = getattr(self.view, method.lower())
        declared = operation_of(handler)
        summary, description = _texts(declared, handler, self.view)
        described: Schema = {
            "operationId": self.get_operation_id(),
            "summary": summary,
            "tags": list(declared.tags) or [self._words()[0]],
            "parameters": [*self._path(), *_query(declared), *self._header_parameters(declared)],
            "security": [] if self._is_anonymous else self._security(),
            "responses": self._responses(declared),
        }
        if description:
            described["description"] = description
        body = self._body(declared)
        if body:
            described["requestBody"] = body
        return described

    def get_operation_id(self) -> str:
        """Return a name that no other operation has: `get_issues_by_key_comments`."""
        return "_".join(
            [self.method.lower(), *(word.replace("-", "_") for word in self._words(variables=True))]
        )

    @property
    def _is_anonymous(self) -> bool:
        return bool(getattr(self.view, "anonymous", False))

    def _words(self, *, variables: bool = False) -> list[str]:
        words = re.sub(r"^/api/v\d+/", "", self.path).strip("/").split("/")
        return [
            re.sub(r"^\{(\w+)\}$", r"by_\1", word) for word in words if variables or not word.startswith("{")
        ] or ["api"]

    # --- parameters ----------------------------------------------------------------------------------

    def _path(self) -> list[Schema]:
        names = re.findall(r"\{(\w+)\}", self.path)
        resolved: list[Schema] = self._resolve_path_parameters(names)  # type: ignore[no-untyped-call]
        return resolved

    def _header_parameters(self, declared: Operation) -> list[Schema]:
        found = [
            _header(
                "X-Request-ID",
                {"type": "string"},
                "An id of yours for this request; taken over if well-formed.",
            )
        ]
        if self._keeps_replies:
            found.append(
                _header(
                    "Idempotency-Key",
                    {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
                    "The same key again gives the first reply again, for 24 hours.",
                )
            )
        if declared.etag and self.method in _SAFE:
            found.append(
                _header("If-None-Match", {"type": "string"}, "The tag in hand: 304 where it is current.")
            )
        if declared.ranges:
            found += [
                _header("Range", {"type": "string"}, "One range of bytes, such as `bytes=0-99`."),
                _header("If-Range", {"type": "string"}, "The tag in hand: all of the file where it is old."),
            ]
        if declared.etag and self.method not in _SAFE and self.method != "POST":
            found.append(
                _header(
                    "If-Match",
                    {"type": "string", "pattern": conditions.IF_MATCH_PATTERN},
                    "The tag in hand: 412 where it is not current.",
                )
            )
        return found

    @property
    def _keeps_replies(self) -> bool:
        return (
            self.method == "POST"
            and not self._is_anonymous
            and bool(getattr(self.view, "keeps_replies", False))
        )

    # --- body ------------------------------------------------------------------------------------------

    def _body(self, declared: Operation) -> Schema | None:
        if self.method not in _WITH_BODY:
            return None
        content: Schema = {}
        is_required = False
        for media_type, body_class in (
            ("application/json", declared.request),
            ("multipart/form-data", declared.multipart),
        ):
            if body_class is not None:
                schema, has_required = self._body_schema(body_class)
                content[media_type] = {"schema": schema}
                is_required = is_required or has_required or media_type == "application/json"
        return {"content": content, "required": is_required} if content else None

    def _body_schema(self, body_class: Any) -> tuple[Schema, bool]:
        if isinstance(body_class, dict):
            return body_class, True
        body: serializers.Serializer[Any] = copy.copy(body_class())
        body.partial = self.method == "PATCH"
        component = self.resolve_serializer(body, "request")
        if not component:
            return {"type": "object", "additionalProperties": False}, False
        component.schema.setdefault("additionalProperties", False)
        return component.ref, bool(component.schema.get("required"))

    # --- responses -------------------------------------------------------------------------------------

    def _responses(self, declared: Operation) -> Schema:
        replies: Schema = {str(declared.status): self._success(declared)}
        if declared.etag and self.method in _SAFE:
            replies["304"] = {"description": "Not modified.", "headers": self._headers({"ETag": "ETag"})}
        if declared.ranges:
            replies["206"] = {**self._success(declared), "description": "A part of the file."}
            replies["206"]["headers"] |= self._headers({"Content-Range": "ContentRange"})
        for status in self._refusals(declared):
            replies[str(status)] = self._component(
                "responses", f"Error{status}", partial(self._error, status)
            )
        return replies

    def _success(self, declared: Operation) -> Schema:
        headers = {"ETag": "ETag"} if declared.etag and self.method != "DELETE" else {}
        if declared.paginated:
            headers["Link"] = "Link"
        if self._keeps_replies:
            headers["Idempotent-Replayed"] = "Replayed"
        reply: Schema = {
            "description": f"{HTTPStatus(declared.status).phrase}.",
            "headers": self._headers(headers),
        }
        if declared.media_type != "application/json":
            reply["content"] = {declared.media_type: {"schema": {"type": "string", "format": "binary"}}}
        elif declared.response is not None:
            reply["content"] = {"application/json": {"schema": self._answer_schema(declared)}}
        for media_type in declared.files:
            reply["content"][media_type] = {"schema": {"type": "string", "format": "binary"}}
        return reply

    def _answer_schema(self, declared: Operation) -> Schema:
        row = shapes.schema_of(declared.response, self._register)
        if not declared.paginated:
            return row
        url = {"type": ["string", "null"]}
        return {
            "type": "object",
            "properties": {
                "results": {"type": "array", "items": row},
                "next": url,
                "previous": url,
                "count": {"type": "integer", "description": "With `page=` alone."},
            },
            "required": ["results", "next", "previous"],
        }

    def _refusals(self, declared: Operation) -> list[int]:
        statuses = {400, 405, 429, 503, *declared.statuses}
        if not self._is_anonymous:
            statuses |= {401, 403}
        if getattr(self.view, "answers_json", False):
            statuses.add(406)
        if "{" in self.path or declared.paginated:
            statuses.add(404)
        if self.method in _WITH_BODY and (declared.request is not None or declared.multipart is not None):
            statuses |= {413, 415}
        if self._keeps_replies:
            statuses |= {409, 413, 422}
        if declared.etag and self.method not in _SAFE:
            statuses |= {409, 412}
        if declared.ranges:
            statuses.add(416)
        return sorted(statuses)

    def _error(self, status: int) -> Schema:
        return {
            "description": errors.plain_refusal(status).message,
            "headers": self._headers(_ERROR_HEADERS.get(status, {})),
            "content": {"application/json": {"schema": self._component("schemas", "Error", lambda: _ERROR)}},
        }

    # --- components ------------------------------------------------------------------------------------

    def _headers(self, further: dict[str, str]) -> Schema:
        return {
            name: self._component("headers", component, partial(_HEADERS.__getitem__, component))
            for name, component in (_COMMON_HEADERS | further).items()
        }

    def _security(self) -> list[Schema]:
        for name in _SECURITY:
            self._component("securitySchemes", name, partial(_SECURITY.__getitem__, name))
        return [{name: []} for name in _SECURITY]

    def _register(self, name: str, make: Callable[[], Schema]) -> Schema:
        return self._component("schemas", name, make)

    def _component(self, kind: str, name: str, make: Callable[[], Schema]) -> Schema:
        component = ResolvedComponent(name=name, type=kind, object=name)  # type: ignore[no-untyped-call]
        if component not in self.registry:
            self.registry.register_on_missing(component)  # first the name, since a shape may hold itself
            component.schema = make()
        return component.ref


def _texts(declared: Operation, handler: Any, view: Any) -> tuple[str, str]:
    text = (handler.__doc__ or type(view).__doc__ or "").strip()
    first, _, rest = text.partition("\n\n")
    rest = "\n".join(line.strip() for line in rest.splitlines()).strip()
    return declared.summary or " ".join(first.split()).rstrip("."), rest


def _query(declared: Operation) -> list[Schema]:
    found = [_query_parameter(param) for param in declared.query]
    if declared.sorts:
        names = "|".join(re.escape(name) for name in declared.sorts)
        schema = {"type": "string", "pattern": f"^-?({names})(,-?({names}))*$"}
        described = "Fields to sort by, `-` for descending; ties by id, empty values last."
        found += [
            {"name": "sort", "in": "query", "schema": schema, "description": described},
            {"name": "ordering", "in": "query", "schema": schema, "description": "The same as `sort`."},
        ]
    return found


def _query_parameter(param: Param) -> Schema:
    schema = dict(_PARAM_SCHEMAS[param.kind])
    if param.kind == "choice":
        schema["enum"] = list(param.choices)
    if param.kind == "whole":
        schema |= {
            name: bound
            for name, bound in (("minimum", param.minimum), ("maximum", param.maximum))
            if bound is not None
        }
    if param.kind == "text":
        schema["maxLength"] = param.maximum or MAX_QUERY_TEXT
    if isinstance(param.default, int | str) and not isinstance(param.default, bool):
        schema["default"] = param.default
    found: Schema = {"name": param.name, "in": "query", "schema": schema}
    if param.required:
        found["required"] = True
    if param.description:
        found["description"] = param.description
    return found


def _header(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": description}
