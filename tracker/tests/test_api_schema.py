"""The schema says what the views do, and its readers are shown under their policies."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from django.test import Client, override_settings
from drf_spectacular.generators import SchemaGenerator

from tracker.api import docs
from tracker.api.shapes import schema_of

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> Schema:
    made: Schema = SchemaGenerator(urlconf="tracker.tests.api_site").get_schema(public=True)  # type: ignore[no-untyped-call]
    return made


def operation(schema: Schema, path: str, method: str) -> Schema:
    found: Schema = schema["paths"][f"/api/v1/{path}/"][method]
    return found


def parameters(described: Schema) -> set[str]:
    return {parameter["name"] for parameter in described["parameters"]}


def test_each_operation_tells_the_statuses_that_it_can_give(schema: Schema) -> None:
    common = {"400", "401", "403", "405", "406", "429", "503"}
    assert set(operation(schema, "things", "get")["responses"]) == common | {"200", "404"}
    assert set(operation(schema, "things", "post")["responses"]) == common | {
        "201",
        "409",
        "413",
        "415",
        "422",
    }
    assert set(operation(schema, "things/{name}", "get")["responses"]) == common | {"200", "304", "404"}
    assert set(operation(schema, "things/{name}", "patch")["responses"]) == common | {
        "200", "404", "409", "412", "413", "415",
    }  # fmt: skip
    assert set(operation(schema, "things/{name}", "delete")["responses"]) == common | {
        "204",
        "404",
        "409",
        "412",
    }
    assert set(operation(schema, "open", "get")["responses"]) == {"200", "400", "405", "406", "429", "503"}


def test_it_is_openapi_3_1_with_two_ways_to_sign_in(schema: Schema) -> None:
    assert schema["openapi"].startswith("3.1")
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "cookie"}
    assert operation(schema, "things", "get")["security"] == [{"bearer": []}, {"cookie": []}]
    assert operation(schema, "open", "get")["security"] == []


def test_names_of_operations_are_unique(schema: Schema) -> None:
    names = [described["operationId"] for path in schema["paths"].values() for described in path.values()]
    assert len(names) == len(set(names))
    assert "patch_things_by_name" in names


def test_headers_and_parameters_are_told(schema: Schema) -> None:
    listed = operation(schema, "things", "get")
    assert {"size", "cursor", "page", "sort", "ordering", "verb", "X-Request-ID"} <= parameters(listed)
    assert "Idempotency-Key" in parameters(operation(schema, "things", "post"))
    assert "Idempotency-Key" not in parameters(operation(schema, "secret", "post"))
    assert "If-Match" in parameters(operation(schema, "things/{name}", "delete"))
    assert "If-None-Match" in parameters(operation(schema, "things/{name}", "get"))
    headers = operation(schema, "things/{name}", "get")["responses"]["200"]["headers"]
    assert {"ETag", "X-Request-ID", "X-RateLimit-Limit"} <= set(headers)
    assert "WWW-Authenticate" in schema["components"]["responses"]["Error401"]["headers"]


def test_bodies_are_closed_and_patch_requires_nothing(schema: Schema) -> None:
    components = schema["components"]["schemas"]
    assert components["ThingBody"]["required"] == ["title"]
    assert components["ThingBody"]["additionalProperties"] is False
    assert "required" not in components["PatchedThingBody"]
    assert set(operation(schema, "upload", "post")["requestBody"]["content"]) == {
        "application/json",
        "multipart/form-data",
    }


class Inner(TypedDict):
    """An inner thing."""

    id: str
    children: "list[Inner]"


class Outer(TypedDict):
    """An outer thing."""

    kind: Literal["a", "b"]
    inner: Inner | None
    note: NotRequired[Annotated[str | None, {"maxLength": 5}]]
    counts: dict[str, int]
    anything: Any


def test_typed_dicts_become_components() -> None:
    made: dict[str, Schema] = {}

    def register(name: str, make: Any) -> Schema:
        if name not in made:
            made[name] = {}
            made[name] = make()
        return {"$ref": name}

    assert schema_of(list[Outer], register) == {"type": "array", "items": {"$ref": "Outer"}}
    assert made["Outer"]["required"] == ["anything", "counts", "inner", "kind"]
    assert made["Outer"]["properties"] == {
        "kind": {"type": "string", "enum": ["a", "b"]},
        "inner": {"anyOf": [{"$ref": "Inner"}, {"type": "null"}]},
        "note": {"type": ["string", "null"], "maxLength": 5},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "anything": {},
    }
    assert made["Inner"]["properties"]["children"] == {"type": "array", "items": {"$ref": "Inner"}}


@pytest.mark.django_db
def test_the_schema_of_this_site_is_served_in_both_forms(client: Client) -> None:
    json_form = client.get("/api/schema")
    assert (json_form.status_code, json_form["Content-Type"]) == (200, "application/json")
    assert json_form.json()["openapi"].startswith("3.1")
    assert client.get("/api/schema/", headers={"If-None-Match": json_form["ETag"]}).status_code == 304
    for yaml_form in (
        client.get("/api/schema?format=yaml"),
        client.get("/api/schema/", headers={"Accept": "application/yaml"}),
    ):
        assert yaml_form.content.startswith(b"openapi: 3.1")
    assert client.get("/api/schema?format=xml").status_code == 400
    assert client.post("/api/schema").status_code == 405


@pytest.mark.django_db
@override_settings(RATE_LIMITS="on")
def test_the_readers_have_no_inline_script(client: Client) -> None:
    swagger, redoc = client.get("/api/docs"), client.get("/api/redoc/")
    for page in (swagger, redoc):
        assert page.status_code == 200
        assert b"<script>" not in page.content
        assert "script-src" not in page["Content-Security-Policy"]
        assert page["X-RateLimit-Limit"] == "120"
    assert "unsafe-inline" not in swagger["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in redoc["Content-Security-Policy"]
    script = client.get("/api/docs/?script")
    assert script["Content-Type"].startswith("text/javascript")
    assert b"SwaggerUIBundle(" in script.content


def test_the_documents_are_made_once() -> None:
    made = docs._Documents()
    made._made = {"json": b"{}", "yaml": b"{}\n"}
    assert made.get("json") == b"{}"
