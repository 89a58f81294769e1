"""Taking a JSON message apart, key by key: each value is of its type and fit to be stored, or refused."""

import enum
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from cronq.domain.errors import BadMessage

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)
Fields = Mapping[str, Any]

#: Bytes. A command has at most 64 KiB, is there twice and, in JSON, may have six bytes for one.
SIZE_LIMIT = 2 * 1024 * 1024
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
#: As `time_text` writes it.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}")
_ID = re.compile(r"[0-9a-f]{32}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXPECTED = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_REQUIRED: Any = object()
# Made once: `json.dumps` makes one for each message that it is to write without blanks.
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def read_fields(body: bytes, limit: int = SIZE_LIMIT) -> dict[str, Any]:
    """The keys of a message; raises `BadMessage` for more than `limit` bytes, no JSON, or no object."""
    if len(body) > limit:
        raise BadMessage(f"too large: {len(body)} bytes, at most {limit} are read")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadMessage("not a JSON object")
    return data


def write_fields(data: Fields) -> bytes:
    """The JSON of a message."""
    return _ENCODER.encode(data).encode()


def take(data: Fields, key: str, kind: type, default: Any = _REQUIRED) -> Any:
    """A value of the type `kind`; raises `BadMessage`, as all that follow."""
    value = data.get(key, default)
    if kind is str and type(value) is str and value.isascii():
        return value  # nearly all of them are, and this takes place at every key of every message
    if value is _REQUIRED:
        raise BadMessage(f"{key}: missing")
    if value is None and default is None:
        return None
    accepted: tuple[type, ...] = (int, float) if kind is float else (kind,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise BadMessage(f"{key}: expected {_EXPECTED[kind]}, found {_shown(value)}")
    if not is_storable(value):
        raise BadMessage(f"{key}: {_shown(value)} cannot be stored")
    return value


def optional(take_it: Callable[[Fields, str], T], data: Fields, key: str) -> T | None:
    """What may be absent; null says the same."""
    return None if data.get(key) is None else take_it(data, key)


def take_id(data: Fields, key: str) -> str:
    """The id of a run, or a token."""
    value: str = take(data, key, str)
    if not _ID.fullmatch(value):
        raise BadMessage(f"{key}: expected 32 lower-case hex digits, found {_shown(value)}")
    return value


def take_member(allowed: Sequence[E], data: Fields, key: str) -> E:
    """One of a few words."""
    value = take(data, key, str)
    for word in allowed:
        if word == value:
            return word
    raise BadMessage(f"{key}: expected one of {', '.join(allowed)}, found {_shown(value)}")


def take_texts(data: Fields, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """A list of texts; absent, or null, it is the default, if there is one."""
    values = data.get(key)
    if values is None and default is not None:
        return default
    if not isinstance(values, list) or not all(
        isinstance(each, str) and is_storable(each) for each in values
    ):
        raise BadMessage(f"{key}: expected a list of texts")
    return tuple(values)


def take_objects(data: Fields, key: str) -> list[Fields]:
    """A list of objects."""
    values = data.get(key)
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise BadMessage(f"{key}: expected a list of objects")
    return values


def take_time(data: Fields, key: str) -> datetime:
    """A time of UTC as `time_text` writes it."""
    value = take(data, key, str)
    try:
        if _TIME.fullmatch(value):
            return datetime.fromisoformat(value)
        return datetime.strptime(value, _TIME_FORMAT)
    except ValueError as error:
        raise BadMessage(f"{key}: expected YYYY-MM-DD HH:MM:SS.ffffff, found {_shown(value)}") from error


def time_text(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS.ffffff`."""
    return moment.isoformat(sep=" ", timespec="microseconds")


def take_iso_time(data: Fields, key: str) -> datetime:
    """A time of ISO 8601, as UTC."""
    value: str = take(data, key, str)
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise BadMessage(f"{key}: expected an ISO 8601 time, found {_shown(value)}") from error


def _shown(value: Any) -> str:
    """The beginning of a value, but not of one that may be nested too deep to be written."""
    if isinstance(value, (dict, list)):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value)[:60]


def is_storable(value: Any) -> bool:
    """Whether a database can hold it: JSON in Python knows lone surrogates, NaN and integers of any size."""
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    return bool(-(2**31) <= value < 2**31)
