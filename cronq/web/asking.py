"""What a body says of who asks for something, and why: JSON from programs, a form from pages and curl."""

from collections.abc import Mapping
from typing import Any, cast

from cronq.domain.asking import ASKING_KEYS
from cronq.domain.document_parts import Key
from cronq.domain.json_text import load_json
from cronq.web.errors import BadRequest
from cronq.web.exchange import Request


def said(request: Request, keys: Mapping[str, Key] = ASKING_KEYS) -> dict[str, Any]:
    """The keys of a JSON object or, of a form, those that are known; raises `BadDocument`, `BadRequest`."""
    if request.body.lstrip().startswith(b"{"):
        return cast("dict[str, Any]", load_json(request.body).value)
    if request.body.strip() and not request.fields:
        raise BadRequest("The body is neither a JSON object nor a form.")
    return {key: request.fields[key] for key in keys if key in request.fields}
