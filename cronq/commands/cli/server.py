"""The web as the commands see it: JSON objects in, JSON objects out, and errors that say what to do."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from typing import Any
from urllib.parse import urlencode

from cronq import __version__
from cronq.commands.cli.connection import Address, HttpAnswer, HttpRequest, Listen, Send
from cronq.commands.cli.exits import CommandFailed, DocumentRefused, Exit, Unreachable
from cronq.domain.errors import Fault

_CHECK_URL = "Check --url or CRONQ_URL: is that a cronq?"
_NOTHING_DONE = "Nothing was done. With --help, the command says what can be asked for."
_LATER = "Try again soon; the log of the web says more."
_LOGIN = (
    "Put a token into CRONQ_TOKEN (`cronq tokens add NAME` or the page Access makes one), or name a user in "
    "the address, as in --url https://user:password@host/."
)
_UNAVAILABLE = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_EXITS: Mapping[int, tuple[Exit, str]] = {
    HTTPStatus.UNAUTHORIZED: (Exit.NOT_ALLOWED, _LOGIN),
    HTTPStatus.FORBIDDEN: (
        Exit.NOT_ALLOWED,
        "Ask an admin of this cronq for a role, or a token, that may do it.",
    ),
    HTTPStatus.NOT_FOUND: (Exit.NOT_FOUND, "`cronq jobs` lists what there is."),
    HTTPStatus.CONFLICT: (Exit.CONFLICT, "`cronq show JOB` says how things are."),
}
_OTHERWISE = (Exit.FAILURE, "The log of the web may say more.")

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """An event of an answer that goes on; without a name it says only that the server is still there."""

    name: str
    data: Data
    #: Where to go on; None: where it was.
    id: str | None


class Server:
    """A web at some address."""

    def __init__(self, address: Address, send: Send, listen: Listen, now: Callable[[], datetime]) -> None:
        self.url = address.url
        self._headers = {"Accept": "application/json", "User-Agent": f"cronq/{__version__}"}
        if address.authorization is not None:
            self._headers["Authorization"] = address.authorization
        self._send = send
        self._listen = listen
        self._clock = now
        self._now: datetime | None = None

    def now(self) -> datetime:
        """The time by the server's clock, as of its last answer, so that ours may be wrong."""
        return self._now or self._clock()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Data:
        """Read what is there; raises `CommandFailed`, as `post` and `put` do."""
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, said: Mapping[str, Any]) -> Data:
        """Ask for something to be done, with what is to be said to it."""
        return self._ask("POST", path, json.dumps(said).encode())

    def put(self, path: str, body: bytes) -> Data:
        """Replace what is there by a JSON text; raises `DocumentRefused` when it has faults."""
        return self._ask("PUT", path, body)

    def follow(self, path: str, query: Mapping[str, str | int]) -> Iterator[Told]:
        """What is told there as it comes, until the server has said all or ends the answer."""
        headers = self._headers | {"Accept": "text/event-stream, application/json"}
        request = HttpRequest("GET", f"{self.url}{path}?{urlencode(query)}", headers)
        answer, lines = self._listen(request)
        self._check("GET", answer)
        name, data, event_id = "", "", None
        for line in lines:
            key, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                data = value
            elif key == "id":
                event_id = value
            elif not name:
                yield Told("", {}, None)
            else:
                if (found := _object(data.encode())) is None:
                    raise self.not_cronq("tells something that is no JSON")
                yield Told(name, found, event_id)
                name, data, event_id = "", "", None

    def not_cronq(self, what: str) -> CommandFailed:
        """The error to raise when an answer makes no sense; `what` goes on from the address."""
        return CommandFailed(f"{self.url} {what}, which is not what cronq says", Exit.FAILURE, _CHECK_URL)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Data:
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        answer = self._send(HttpRequest(method, self.url + path, headers, body))
        self._check(method, answer)
        if (data := _object(answer.body)) is None:
            raise self.not_cronq(f"answers with no JSON ({answer.headers.get('content-type', 'no type')})")
        return data

    def _check(self, method: str, answer: HttpAnswer) -> None:
        self._now = _date(answer) or self._now
        if HTTPStatus.MULTIPLE_CHOICES <= answer.code < HTTPStatus.BAD_REQUEST:
            raise self._redirected(answer)
        if answer.code >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(method, answer.code, _error(_object(answer.body)))

    def _redirected(self, answer: HttpAnswer) -> CommandFailed:
        where = answer.headers.get("location", "nowhere")
        return CommandFailed(f"{self.url} sends on to {where}", Exit.FAILURE, "Name that address with --url.")

    def _refusal(self, method: str, code: int, error: Data | None) -> CommandFailed:
        message = f"{self.url} answers {_named(code)}" if error is None else str(error["message"])
        if code in _UNAVAILABLE:
            return Unreachable(message, _LATER)
        if error is None and code == HTTPStatus.NOT_FOUND:
            return self.not_cronq(f"answers {_named(code)}")
        if error is not None and method == "PUT" and (faults := _faults(error)):
            return DocumentRefused(message, faults)
        if error is not None and method == "POST" and code == HTTPStatus.BAD_REQUEST:
            return CommandFailed(message, Exit.USAGE, _NOTHING_DONE)
        return CommandFailed(message, *_EXITS.get(code, _OTHERWISE))


def _object(body: bytes) -> Data | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _error(data: Data | None) -> Data | None:
    error = data.get("error") if data else None
    return error if isinstance(error, dict) and isinstance(error.get("message"), str) else None


def _faults(error: Data) -> tuple[Fault, ...]:
    found = error.get("faults")
    return tuple(
        Fault(str(each.get("place", "")), str(each.get("message", "")), _line(each.get("line")))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
    )


def _line(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _named(code: int) -> str:
    return f"{code} {responses.get(code, '')}".rstrip()


def _date(answer: HttpAnswer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC).replace(tzinfo=None)
    except (KeyError, ValueError):
        return None
