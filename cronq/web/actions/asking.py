"""What a body says of who asks for something, and why: JSON from programs, a form from pages and curl."""

from collections.abc import Mapping
from typing import Any, cast

from cronq.domain.asking import ASKING_KEYS
from cronq.domain.document_parts import Key
from cronq.domain.document_values import shown
from cronq.domain.json_text import load_json
from cronq.domain.requests import REQUEST_KEYS, RunRequest, read_request
from cronq.web.http.errors import BadRequest
from cronq.web.http.exchange import Request


def said(request: Request, keys: Mapping[str, Key] = ASKING_KEYS) -> dict[str, Any]:
    """The keys of a JSON object or, of a form, those that are known; raises `BadDocument`, `BadRequest`."""
    if _is_object(request.body):
        return cast("dict[str, Any]", load_json(request.body).value)
    if request.body.strip() and not request.fields:
        raise BadRequest("The body is neither a JSON object nor a form.")
    return {key: request.fields[key] for key in keys if key in request.fields}


def asked_run(request: Request) -> RunRequest:
    """The run that is asked for. A form has arguments and variables line by line.

    Raises `BadDocument`, `BadRequest`.
    """
    found = said(request, REQUEST_KEYS)
    if not _is_object(request.body):
        found["arguments"] = _lines(found.get("arguments", ""))
        found["environment"] = dict(map(_variable, _lines(found.get("environment", ""))))
    return read_request(found)


def _is_object(body: bytes) -> bool:
    return body.lstrip().startswith(b"{")


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _variable(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    if not sign:
        raise BadRequest(f"environment: expected NAME=value, found {shown(line)}")
    return name.strip(), value
