"""What the routes take and give: requests and responses as values, free of sockets and frameworks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import IO, Any

from twisted.web import http
from twisted.web.server import Request as ServerRequest

from cronq.domain.access import Actor, Caller, Via

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


#: Nobody has looked yet who it is.
STRANGER = Caller(Actor(None, Via.OPEN), None)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for."""

    method: str
    #: Percent-encoded, without the query.
    path: str
    #: The first value of each field of the query and of a form.
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: By which the web was asked for, with its port: good for showing and for nothing else.
    host: str = "localhost"
    #: The query as it was sent, without its question mark.
    query: str = ""
    #: Who sends it.
    caller: Caller = STRANGER
    #: The secret of a session, of whatever kind.
    cookie: str | None = field(default=None, repr=False)
    #: Whether the browser uses HTTPS, and what it calls itself.
    secure: bool = False
    browser: str = ""
    #: What it would like to be answered with, and where it was in a stream that it has lost.
    accept: str = ""
    last_event_id: str = ""

    @property
    def safe(self) -> bool:
        """Whether its method changes nothing (RFC 9110, section 9.2.1)."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    @property
    def prefers_text(self) -> bool:
        """Whether plain text is what it names first of what it would like (RFC 9110, section 12.5.1)."""
        first = self.accept.partition(",")[0]
        return first.partition(";")[0].strip().lower() == "text/plain"

    @property
    def wants_json(self) -> bool:
        """Whether a program asks: a program is never answered in HTML."""
        return self.path.startswith("/api/") or self.path in {"/api", "/_status"}


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    code: int
    body: bytes
    headers: Mapping[str, str]

    def with_headers(self, headers: Mapping[str, str]) -> "Response":
        """The same with more headers."""
        return replace(self, headers={**self.headers, **headers})


def read_request(raw: ServerRequest) -> Request:
    """The request that a server of Twisted has received in full."""
    content = content_of(raw)
    content.seek(0)
    return Request(
        method=raw.method.decode("latin-1"),
        path=raw.path.decode("latin-1"),
        fields={_text(name): _text(values[0]) for name, values in raw.args.items()},
        body=content.read(),
        host=raw.getHeader("Host") or "localhost",
        query=raw.uri.partition(b"?")[2].decode("latin-1"),
        accept=raw.getHeader("Accept") or "",
        last_event_id=raw.getHeader("Last-Event-ID") or "",
    )


def content_of(raw: ServerRequest) -> IO[bytes]:
    """The file in which Twisted collects the body."""
    content: IO[bytes] | None = raw.content
    assert content is not None, "it is there as soon as the headers are"
    return content


def is_json(raw: http.Request) -> bool:
    """Whether the body says of itself that it is JSON."""
    found = raw.getHeader(b"Content-Type") or b""  # as bytes, which may be no text
    return found.partition(b";")[0].strip().lower() == b"application/json"


def make_readable(raw: ServerRequest) -> None:
    """Make every header a text: those that are none, Twisted cannot give as such."""
    for name, values in list(raw.requestHeaders.getAllRawHeaders()):
        if any(not value.isascii() for value in values):
            raw.requestHeaders.setRawHeaders(name, [_text(value).encode() for value in values])


def send(raw: ServerRequest, response: Response) -> bytes:
    """Set code and headers of the response, and give the body that is left to be written."""
    raw.setResponseCode(response.code, HTTPStatus(response.code).phrase.encode())
    for name, value in response.headers.items():
        raw.setHeader(name, value)
    raw.setHeader("Content-Length", str(len(response.body)))
    return response.body


def json_response(data: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer to a program."""
    body = json.dumps(data, ensure_ascii=False).encode() + b"\n"
    return Response(code, body, {"Content-Type": JSON_TYPE, **(headers or {})})


def text_response(text: str) -> Response:
    """Plain text, for whoever wants it."""
    return Response(200, text.encode(), {"Content-Type": TEXT_TYPE})


def html_response(page: str, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer to a person."""
    return Response(code, page.encode(), {"Content-Type": HTML_TYPE, **(headers or {})})


def see_other(path: str, headers: Mapping[str, str] | None = None) -> Response:
    """Send a browser on to a path of ours, with GET. It names no host: that of the request may be forged."""
    return Response(303, b"", {"Location": path, "Content-Type": HTML_TYPE, **(headers or {})})


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
