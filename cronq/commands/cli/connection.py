"""One HTTP request and its answer: the only room of the command line that opens a connection."""

import re
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from ssl import SSLError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from cronq.commands.cli.exits import Unreachable

#: Seconds of silence until a server counts as gone; a large category takes a while to be written.
PATIENCE = 60.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the web is."""

    #: Ends with a slash, and holds no password.
    url: str
    #: The value of the header Authorization, when the address names a user, or there is a token.
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is asked for."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What was answered; the names of the headers are in lower case."""

    code: int
    headers: Mapping[str, str]
    body: bytes


#: Raises `Unreachable`.
Send = Callable[[HttpRequest], HttpAnswer]
#: The lines of an answer that goes on are read as they come; when it is refused, there are none, and the
#: answer has its body. Both raise `Unreachable`.
Listen = Callable[[HttpRequest], tuple[HttpAnswer, Iterator[bytes]]]


def parse_address(value: str) -> Address:
    """Read the address of a web, as in `https://user:password@cron.example.com/cronq/`.

    Raises `ValueError` with what is expected instead.
    """
    found = "" if "@" in value else f", found {value[:200]!r}"
    expected = f"an address such as http://127.0.0.1:5000/{found}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(expected) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(expected)
    if not value.isascii() or not value.isprintable() or " " in value or port == 0:
        raise ValueError(expected)
    host = parts.netloc.rpartition("@")[2]
    return Address(
        f"{parts.scheme}://{host}{parts.path.rstrip('/')}/", _basic(parts.username, parts.password)
    )


def bearer(token: str) -> str:
    """The value of the header Authorization with a token (RFC 6750); raises `ValueError`."""
    if not re.fullmatch(r"cq_[0-9A-Za-z_-]{1,200}", token, re.ASCII):
        raise ValueError("a token, which begins with cq_")
    return f"Bearer {token}"


def _basic(user: str | None, password: str | None) -> str | None:
    """HTTP's basic authentication (RFC 7617, section 2)."""
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def send(request: HttpRequest, patience: float = PATIENCE) -> HttpAnswer:
    """Send a request and read the whole answer, whatever its code; follows no redirect.

    Raises `Unreachable` when none comes.
    """
    try:
        with _open(request, patience) as response:
            return _answer(response, response.read())
    except (OSError, HTTPException) as error:
        raise _unreachable(request, error, patience) from error


def listen(request: HttpRequest, patience: float = PATIENCE) -> tuple[HttpAnswer, Iterator[bytes]]:
    """Send a request, and read the answer as it comes; see `Listen`."""
    try:
        response = _open(request, patience)
        if response.status != HTTPStatus.OK:
            with response:
                return _answer(response, response.read()), iter(())
    except (OSError, HTTPException) as error:
        raise _unreachable(request, error, patience) from error
    return _answer(response, b""), _lines(request, response, patience)


def _lines(request: HttpRequest, response: Any, patience: float) -> Iterator[bytes]:
    try:
        with response:
            yield from response
    except (OSError, HTTPException) as error:
        raise _unreachable(request, error, patience) from error


def _answer(response: Any, body: bytes) -> HttpAnswer:
    return HttpAnswer(
        response.status, {name.lower(): value for name, value in response.headers.items()}, body
    )


def _unreachable(request: HttpRequest, error: Exception, patience: float) -> Unreachable:
    cause = error.reason if isinstance(error, URLError) else error
    where = urlsplit(request.url)
    message = f"cannot reach {where.scheme}://{where.netloc}/: {_reason(cause, patience)}"
    return Unreachable(message, _hint(request, cause))


def _open(request: HttpRequest, patience: float) -> Any:
    raw = Request(  # noqa: S310 (`parse_address` lets only http and https pass)
        request.url, request.body, dict(request.headers), method=request.method
    )
    try:
        return _opener(raw).open(raw, timeout=patience)
    except HTTPError as error:
        return error  # an answer like any other


def _opener(request: Request) -> OpenerDirector:
    # A proxy would look for the server on its own machine.
    local = urlsplit(request.full_url).hostname in _LOOPBACK
    return build_opener(_NoRedirects, *([ProxyHandler({})] if local else []))


class _NoRedirects(HTTPRedirectHandler):
    """urllib would turn a redirected POST into a GET, and take the password along to another host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _reason(cause: object, patience: float) -> str:
    if isinstance(cause, TimeoutError):
        return f"no answer within {patience:g} seconds"
    if isinstance(cause, socket.gaierror):
        return "no host of that name is known"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"it hung up or does not speak HTTP ({cause or type(cause).__name__})"


def _hint(request: HttpRequest, cause: object) -> str:
    if request.method != "GET" and not isinstance(cause, ConnectionRefusedError):
        return "It may have been done all the same: look before you ask again."
    if isinstance(cause, SSLError | HTTPException):
        return "Check --url or CRONQ_URL: is that a cronq?"
    return "Start one with `twistd -n cronq`, or say where one is with --url or CRONQ_URL."
