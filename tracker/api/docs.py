"""The schema and its two readers, from installed packages, open to everybody."""

import hashlib
import threading
from typing import Any, ClassVar, Final

import yaml
from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from tracker.api.conditions import matches, quote
from tracker.api.operations import Param, operation
from tracker.api.replies import to_json
from tracker.api.views import ApiView

_JSON_TYPE: Final = "application/vnd.oai.openapi+json"
_YAML_TYPE: Final = "application/yaml"


class _Documents:
    """The schema in both forms, made once a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, bytes] = {}

    def get(self, form: str) -> bytes:
        """Return the document in the form `json` or `yaml`."""
        with self._lock:
            if not self._made:
                schema: Any = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
                content = to_json(schema)
                self._made = {
                    "json": content,
                    "yaml": yaml.safe_dump(schema, sort_keys=False, allow_unicode=True).encode(),
                }
            return self._made[form]


documents = _Documents()


class SchemaView(ApiView):
    """The OpenAPI description of this API: JSON, or YAML by `?format=yaml` or by `Accept`."""

    anonymous: ClassVar[bool] = True
    answers_json: ClassVar[bool] = False
    schema = None  # it does not describe itself

    @operation(query=[Param("format", "choice", choices=("json", "yaml"))], any_query=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document."""
        wants_yaml = "yaml" in request.headers.get("Accept", "")
        form = self.query["format"] or ("yaml" if wants_yaml else "json")
        content = documents.get(form)
        etag = hashlib.sha256(content).hexdigest()[:16]
        if matches(request.headers.get("If-None-Match", ""), etag):
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(
                content, content_type=_YAML_TYPE if form == "yaml" else _json_type(request)
            )
        response["ETag"] = quote(etag)
        response["Vary"] = "Accept"
        return response


class SwaggerView(View):
    """Swagger UI; its start script is a request of its own, since no page has inline script."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page, or with `?script` its script."""
        context = {"schema_url": reverse("schema")}
        if "script" in request.GET:
            return render(request, "api/swagger.js", context, content_type="text/javascript")
        return render(request, "api/swagger.html", context)


@method_decorator(
    csp_replace(
        {
            "default-src": [SELF],
            "style-src": [SELF, UNSAFE_INLINE],
            "img-src": [SELF, "data:"],
            "worker-src": ["blob:"],
            "object-src": [NONE],
            "base-uri": [NONE],
            "form-action": [NONE],
            "frame-ancestors": [NONE],
        }
    ),
    name="dispatch",
)
class RedocView(View):
    """ReDoc, which writes its styles into the page and searches in a worker made of text."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        return render(request, "api/redoc.html", {"schema_url": reverse("schema")})


def _json_type(request: Request) -> str:
    return _JSON_TYPE if _JSON_TYPE in request.headers.get("Accept", "") else "application/json"
