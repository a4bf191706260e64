"""GET /v1/openapi.json: the route table as an OpenAPI 3.1 document."""

import functools
import re
from http import HTTPStatus
from typing import Any

import msgspec

from protocol.limits import MAX_NAME_CHARS
from refserver.access.http import routes
from refserver.access.http.answers import Problem
from refserver.access.http.call import Call
from refserver.access.http.routes import Nothing, Route, route

_REF = "#/components/schemas/{name}"
_SECURITY = "token"
_TRY_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_ANY_REQUEST = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What every request may be answered with, whatever it asks for."""

Json = dict[str, Any]


class Document(msgspec.Struct):
    """An OpenAPI document, version 3.1."""

    openapi: str
    info: Json
    paths: Json
    components: Json
    security: list[Json]


@route("GET", "/v1/openapi.json", response=Document, public=True)
def openapi(call: Call, _: Nothing) -> None:
    """This description of all requests."""
    call.answer(document())


@functools.cache
def document() -> Document:
    """Every registered route with all statuses that it can give."""
    table = sorted(routes.load(), key=lambda each: (each.path, each.method))
    paths: dict[str, Json] = {}
    for each in table:
        operations = paths.setdefault(each.path, {})
        operations[each.method.lower()] = _operation(each)
        if each.method == "GET":
            operations["head"] = _head(operations["get"])
    statuses = sorted({status for each in table for status in _refusals(each)})
    return Document(
        openapi="3.1.0",
        info={
            "title": "Chatproof reference server",
            "version": "1",
            "description": "The chat protocol, version 1, as short requests and polling.",
        },
        paths=paths,
        components={
            "schemas": _schemas(table),
            "responses": {HTTPStatus(status).name: _refusal(status) for status in statuses},
            "securitySchemes": {
                _SECURITY: {"type": "http", "scheme": "bearer", "description": "from POST /v1/tokens"}
            },
        },
        security=[{_SECURITY: []}],
    )


def _schemas(table: list[Route]) -> Json:
    bodies = [each.request for each in table if each.method != "GET"]
    kinds: list[type[msgspec.Struct]] = [*bodies, *(each.response for each in table), Problem]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    for kind in kinds:
        schemas[kind.__name__].update(getattr(kind, "SCHEMA", {}))
    return schemas


def _operation(each: Route) -> Json:
    purpose, _, more = (each.handler.__doc__ or "").strip().partition("\n")
    operation: Json = {
        "operationId": each.handler.__name__,
        "summary": purpose,
        "parameters": _parameters(each),
        "responses": {
            "200": {"description": "Done.", "content": {each.media: {"schema": _ref(each.response)}}},
            **{
                str(status): {"$ref": f"#/components/responses/{HTTPStatus(status).name}"}
                for status in _refusals(each)
            },
        },
    }
    if more:
        operation["description"] = more.strip()
    if each.method != "GET":
        content = {"application/json": {"schema": _ref(each.request)}}
        operation["requestBody"] = {"required": True, "content": content}
    if each.public:
        operation["security"] = []
    return operation


def _head(get: Json) -> Json:
    without_body = {status: {"description": "As for GET, without a body."} for status in get["responses"]}
    return {**get, "operationId": f"{get['operationId']}_head", "responses": without_body}


def _refusals(each: Route) -> list[int]:
    token = () if each.public else (HTTPStatus.UNAUTHORIZED,)
    return sorted({*_ANY_REQUEST, *token, *each.refusals})


def _refusal(status: int) -> Json:
    headers: Json = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _header({"type": "string", "enum": ["Bearer"]})
    elif status in _TRY_AGAIN:
        headers["Retry-After"] = _header({"type": "integer", "minimum": 1, "description": "seconds"})
    return {
        "description": f"{HTTPStatus(status).phrase}.",
        "headers": headers,
        "content": {"application/problem+json": {"schema": _ref(Problem)}},
    }


def _header(schema: Json) -> Json:
    return {"required": True, "schema": schema}


def _parameters(each: Route) -> list[Json]:
    address = {"type": "string", "minLength": 1, "maxLength": 129}
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": address}
        for name in re.findall(r"{(\w+)}", each.path)
    ]
    if each.method == "GET":
        query = msgspec.json.schema(each.request)["$defs"][each.request.__name__]
        parameters += [
            {"name": name, "in": "query", "required": name in query["required"], "schema": schema}
            for name, schema in query["properties"].items()
        ]
    if not each.public:
        device = {"type": "string", "maxLength": MAX_NAME_CHARS, "default": "http"}
        parameters.append({"name": "X-Device", "in": "header", "schema": device})
    return parameters


def _ref(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": _REF.format(name=kind.__name__)}
