"""The description of the API (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.1)."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from cronq import __version__
from cronq.web.api.description.operations import OPERATIONS, Operation
from cronq.web.api.description.schemas import INTEGER, STRING, Schema, ref, schemas
from cronq.web.http.fields import GREATEST_ID
from cronq.web.http.routing import Route

#: What every route may be answered with.
_COMMON = (403, 421, 503)
#: What pages are that are no HTML.
_TYPES = {
    "/events": "text/event-stream",
    "/run/{run_id}/output.txt": "text/plain",
    "/run/{run_id}/stream": "text/event-stream",
    "/static/{name}": "*/*",
}
_VARIABLE = re.compile(r"<(?:(\w+)[^:>]*:)?(\w+)>")
_ABOUT = (
    "Jobs, runs, runners and what people change. Each error has a sentence for a person. Where the web asks "
    "for a login, send a token, and say of a body that its type is application/json."
)
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token, which begins with cq_."},
    "password": {"type": "http", "scheme": "basic", "description": "Name and password of a user."},
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole description of these routes. Of pages it says where they are, and of the API everything."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = plain_path(route.path)
        for method in route.methods:
            item = paths.setdefault(path, {})
            item[method.lower()] = _operation(route, path, OPERATIONS.get(f"{method} {path}"))
    described = {
        "openapi": "3.1.1",
        "info": {"title": "cronq", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": _SCHEMES,
        },
    }
    portable: dict[str, Any] = _portable(described)
    return portable


def _portable(found: Any) -> Any:
    """The same without lone surrogates in patterns: no UTF-8 holds one, and few engines know them."""
    if isinstance(found, dict):
        return {key: _portable(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_portable(each) for each in found]
    return found.replace(r"\ud800-\udfff", "") if isinstance(found, str) else found


def plain_path(path: str) -> str:
    """The path of a route as OpenAPI writes it: `/api/jobs/{job_id}`."""
    return _VARIABLE.sub(r"{\2}", path)


def _operation(route: Route, path: str, about: Operation | None) -> dict[str, Any]:
    text = " ".join((route.answer.__doc__ or "").split())
    operation: dict[str, Any] = {
        "summary": text.partition(". ")[0].removesuffix("."),
        "tags": ["api" if about else "pages"],
        "parameters": [*_path_parameters(route), *_query_parameters(about)],
        "responses": _answers(route, about) if about else _pages(_TYPES.get(path, "text/html")),
        "x-cronq-role": route.needs,
        # An empty object: none is needed where the web asks nobody for a login.
        "security": [{}, {"token": []}, {"password": []}] if route.needs else [{}],
    }
    if about and about.body:
        content = {"application/json": {"schema": about.body}}
        operation["requestBody"] = {"required": not about.body_optional, "content": content}
    return operation


def _path_parameters(route: Route) -> Iterable[dict[str, Any]]:
    for kind, name in _VARIABLE.findall(route.path):
        schema: Schema = STRING
        if kind == "int":
            schema = INTEGER | {"minimum": 0, "maximum": GREATEST_ID}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(about: Operation | None) -> Iterable[dict[str, Any]]:
    for name, schema in (about.query if about else {}).items():
        yield {"name": name, "in": "query", "schema": schema}


def _answers(route: Route, about: Operation) -> dict[str, Any]:
    codes = {*_COMMON, *about.refusals, *((401,) if route.needs else ())}
    refused = {str(code): _answer(HTTPStatus(code).phrase, ref("Error")) for code in sorted(codes)}
    content = {"application/json": {"schema": about.answer}} if about.answer else {}
    content |= {kind: {"schema": schema} for kind, schema in about.others.items()}
    return {"200": {"description": "What was asked for", "content": content}, **refused}


def _answer(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _pages(kind: str) -> dict[str, Any]:
    return {
        "200": {"description": "A page", "content": {kind: {}}},
        "303": {"description": "Go on to where Location says: to the page, or to the login"},
        "default": {"description": "A page that says what is wrong", "content": {"text/html": {}}},
    }
