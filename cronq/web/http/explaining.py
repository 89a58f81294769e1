"""What went wrong, in one place: an error becomes a status code and sentences, in JSON or on a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound as NoRoute

from cronq.domain.errors import BadDocument, DatabaseUnavailable, Fault, NotPossible, NotStorable
from cronq.web.http.errors import Conflict, TooMany, Unauthorized, WebError
from cronq.web.http.exchange import Request, Response, html_response, json_response, see_other

RETRY_AFTER = 5  # seconds

_log = Logger()


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error as the answer gives it."""

    code: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name of the status code."""
        return HTTPStatus(self.code).phrase


class Explainer:
    """Answers what could not be done, in JSON or as a page."""

    def __init__(self, render: Callable[[Request, Explanation], str]) -> None:
        self._render = render

    def __call__(self, request: Request, failure: Failure) -> Response:
        """The response to a request that failed."""
        found = _explanation(request, failure)
        if request.wants_json:
            return json_response({"error": _in_json(found)}, found.code, found.headers)
        if found.code == Unauthorized.code and request.safe:
            return see_other(login_address(request))
        return html_response(self._render(request, found), found.code, found.headers)


def login_address(request: Request) -> str:
    """Where somebody logs in who is to come back to this page then."""
    here = f"{request.path}?{request.query}" if request.query else request.path
    return "/login" if here == "/" else f"/login?{urlencode({'next': here})}"


def _explanation(request: Request, failure: Failure) -> Explanation:
    match failure.value:
        case BadDocument() as error:
            return Explanation(400, str(error), faults=error.faults, warnings=error.warnings)
        case WebError() | NotPossible() as error:
            code = error.code if isinstance(error, WebError) else Conflict.code
            return Explanation(code, str(error), _headers(error))
        case NoRoute():
            return Explanation(404, "There is nothing at this address.")
        case MethodNotAllowed() as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            message = f"{request.method} cannot be used here, only {allowed}."
            return Explanation(405, message, {"Allow": allowed})
        case DatabaseUnavailable() | NotStorable() as error:
            return _of_database(request, error)
    _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
    return Explanation(500, "cronq made a mistake; its log has the details.")


def _headers(error: WebError | NotPossible) -> Mapping[str, str]:
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.whole_seconds)}
    if isinstance(error, Unauthorized):
        # No browser is told of basic authentication: it would go on sending a password by itself.
        return {"WWW-Authenticate": 'Bearer realm="cronq"'}
    return {}


def _of_database(request: Request, error: DatabaseUnavailable | NotStorable) -> Explanation:
    # What the database says may tell too much about it.
    _log.warn("{method} {path}: {error}", method=request.method, path=request.path, error=error)
    if isinstance(error, NotStorable):
        return Explanation(409, "The database refuses to store this; the log of the web says why.")
    message = "The database does not answer. Please try again soon."
    return Explanation(503, message, {"Retry-After": str(RETRY_AFTER)})


def _in_json(found: Explanation) -> dict[str, Any]:
    error: dict[str, Any] = {"message": found.message}
    if found.faults:
        error["faults"] = [_fault(each) for each in found.faults]
    if found.warnings:
        error["warnings"] = list(found.warnings)
    return error


def _fault(fault: Fault) -> dict[str, Any]:
    line = {} if fault.line is None else {"line": fault.line}
    return {"place": fault.place, "message": fault.message, **line}
