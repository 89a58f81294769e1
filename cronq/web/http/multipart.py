"""Forms with files (RFC 7578), taken apart by whoever wants what is in them: large ones take a while."""

import re

from cronq.web.http.errors import BadRequest

_NAME = re.compile(rb'^content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE | re.MULTILINE)
_LINE = b"\r\n"


def is_multipart(body: bytes) -> bool:
    """Whether it is such a form; the other kind, and JSON, begin otherwise."""
    return body.startswith(b"--")


def multipart_fields(body: bytes) -> dict[str, bytes]:
    """The first value of each field; raises `BadRequest` when it has no end."""
    boundary = body.partition(_LINE)[0]
    parts = (_LINE + body).split(_LINE + boundary)
    if parts[-1].strip() != b"--":
        raise BadRequest("The form was cut off on its way.")
    fields: dict[str, bytes] = {}
    for part in parts[1:-1]:
        head, _, value = part.removeprefix(_LINE).partition(2 * _LINE)
        if found := _NAME.search(head):
            fields.setdefault(found[1].decode("utf-8", "replace"), value)
    return fields
