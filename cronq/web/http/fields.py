"""Reading what an address says: path segments and fields of a query."""

import enum
import re
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, unquote

from cronq.database.reading.cursors import LATEST, Cursor
from cronq.domain.document_values import shown
from cronq.domain.errors import BadSchedule
from cronq.domain.moments import parse_moment
from cronq.web.http.errors import BadRequest, NotFound
from cronq.web.http.exchange import Request

#: The greatest id that the tables of 0.27 can hold.
GREATEST_ID = 2**31 - 1
#: In a route: an id of a job. What cannot be one is not found.
JOB_ID = f"<int(max={GREATEST_ID}):job_id>"
E = TypeVar("E", bound=enum.StrEnum)

_RUN_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_POSITION = re.compile(r"\d{1,18}", re.ASCII)
_WHOLE_NUMBER = re.compile(r"\d{1,4000}", re.ASCII)


def segment(quoted: str) -> str:
    """The text of one segment of a path, which may hold slashes; raises `NotFound` when it is no UTF-8."""
    try:
        return unquote(quoted, errors="strict")
    except UnicodeDecodeError as error:
        raise NotFound("There is nothing at this address: it is not UTF-8.") from error


def runner_path(name: str) -> str:
    """Where the page of a runner is."""
    return f"/runner/{quote(name, safe='')}"


def category_path(name: str) -> str:
    """Where the page of a category is."""
    return f"/category/{quote(name, safe='')}"


def job_path(job_id: int) -> str:
    """The address of the page of a job."""
    return f"/job/{job_id}"


def is_run_id(text: str) -> bool:
    """Whether a run can have this id."""
    return _RUN_ID.fullmatch(text) is not None


def whole_number(request: Request, name: str, *, least: int = 0, most: int = GREATEST_ID + 1) -> int | None:
    """A field as a number, None when it is not given; a greater one is `most`, which is no id.

    Raises `BadRequest`.
    """
    text = request.fields.get(name)
    if text is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) < least:
        raise BadRequest(f"{name}: expected a whole number from {least}, found {shown(text)}")
    return min(int(text), most)


def member(request: Request, name: str, kind: type[E]) -> E | None:
    """A field as a member of an enum, None when it is not given or empty; raises `BadRequest`."""
    text = request.fields.get(name, "")
    return _member(name, kind, text) if text else None


def position(request: Request) -> int:
    """How many bytes of a stream the sender has had already: as a browser says it that lost the connection,
    or in the field `from`; raises `BadRequest`.
    """
    text = request.last_event_id or request.fields.get("from", "") or "0"
    if not _POSITION.fullmatch(text):
        raise BadRequest(f"Last-Event-ID: expected the id of an event, found {shown(text)}")
    return int(text)


def members(request: Request, name: str, kind: type[E]) -> tuple[E, ...]:
    """A field as members of an enum, separated by commas, none when it is empty; raises `BadRequest`."""
    words = [word.strip() for word in request.fields.get(name, "").split(",")]
    return tuple(dict.fromkeys(_member(name, kind, word) for word in words if word))


def moment(request: Request, name: str, now: datetime) -> datetime | None:
    """A field as a moment, or as how long ago it was, None when it is empty; raises `BadRequest`."""
    text = request.fields.get(name, "")
    try:
        return parse_moment(text, now) if text else None
    except BadSchedule as error:
        raise BadRequest(f"{name}: {error}") from error


def cursor(request: Request, name: str) -> Cursor:
    """A field as a place in a list of runs, its begin when it is not given; raises `BadRequest`."""
    text = request.fields.get(name)
    try:
        return LATEST if text is None else Cursor.parse(text)
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from error


def _member(name: str, kind: type[E], text: str) -> E:
    if text not in set(kind):
        raise BadRequest(f"{name}: expected one of {', '.join(kind)}, found {shown(text)}")
    return kind(text)
