"""The messages between the daemons: how each is built, read and refused (contract, section 5)."""

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronq.domain.errors import BadMessage
from cronq.domain.jobs import Publication
from cronq.domain.runs import Status

SIZE_LIMIT = 1024 * 1024  # bytes; a command has at most 64 KiB
ID = re.compile(r"[0-9a-f]{32}")
SURROGATE = re.compile("[\ud800-\udfff]")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
_EXPECTED = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


class Report(enum.StrEnum):
    """What a runner reports about a run: the type of a result message and of an event."""

    STARTING = "starting"
    FINISHED = "finished"
    #: The command could not be run at all.
    FAILED = "failed"
    #: Its runner died and left it; nobody knows how it would have ended.
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class JobMessage:
    """From the injector to a runner: run this command."""

    run_id: str
    job_id: int
    name: str
    command: str
    #: Whether results has to grant the start. Messages of 0.27 and of other programs do not ask for it.
    grant: bool = False
    slot: datetime | None = None
    attempt: int = 1

    def encode(self) -> bytes:
        """The JSON of the message, in both spellings of command and job id."""
        return _encode(
            {
                "name": self.name,
                "command": self.command,
                "cmd": self.command,
                "id": self.job_id,
                "job_id": self.job_id,
                "run_id": self.run_id,
                "grant": self.grant,
                "slot": self.slot and self.slot.isoformat() + "Z",
                "attempt": self.attempt,
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> "JobMessage":
        """Read a message of this version, of 0.27 or of any other program; raises `BadMessage`."""
        data = _decode(body)
        command = _take(data, "command" if "command" in data else "cmd", str)
        if "\0" in command:
            raise BadMessage("command: a NUL cannot be part of a command")
        return cls(
            run_id=_id(data, "run_id"),
            job_id=_take(data, "job_id" if "job_id" in data else "id", int),
            name=_take(data, "name", str),
            command=command,
            grant=_take(data, "grant", bool, default=False),
            slot=_slot(data),
            attempt=_take(data, "attempt", int, default=1),
        )


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """From a runner to results: this is what became of a run."""

    run_id: str
    job_id: int
    report: Report
    sent_at: datetime
    host: str
    #: Of `starting`: when the runner was about to start the command, by its own clock.
    start_time: datetime | None = None
    #: Of `finished`: 128 + signal for a death by signal.
    return_code: int | None = None
    #: Seconds.
    run_time: float | None = None
    reason: str | None = None
    #: Of `finished`: how it ended when the return code does not say it (`timed_out`, `killed`).
    outcome: Status | None = None
    #: Of `starting`: names this attempt to start, so that the same request is granted twice and no other is.
    token: str | None = None
    #: The runner's id.
    runner: str | None = None

    @property
    def message_id(self) -> str:
        """Unique among the reports of all runs."""
        return f"{self.run_id}.{self.report}"

    def encode(self) -> bytes:
        """The JSON of the message, without the keys that its type does not have."""
        data: dict[str, Any] = {
            "job_id": self.job_id,
            "run_id": self.run_id,
            "type": self.report,
            "x-send-datetime": self.sent_at.strftime(TIME_FORMAT),
            "x-host": self.host,
            "start_time": self.start_time and self.start_time.strftime(TIME_FORMAT),
            "return_code": self.return_code,
            "run_time": self.run_time,
            "reason": self.reason,
            "outcome": self.outcome,
            "token": self.token,
            "runner": self.runner,
        }
        return _encode({key: value for key, value in data.items() if value is not None})

    @classmethod
    def decode(cls, body: bytes) -> "ResultMessage":
        """Read a message of this version or of 0.27; raises `BadMessage`."""
        data = _decode(body)
        report = _member(Report, data, "type")
        if report is Report.FINISHED:
            _take(data, "return_code", int)
        return cls(
            run_id=_id(data, "run_id"),
            job_id=_take(data, "job_id", int),
            report=report,
            sent_at=_time(data, "x-send-datetime"),
            host=_take(data, "x-host", str),
            start_time=_time(data, "start_time") if "start_time" in data else None,
            return_code=_take(data, "return_code", int, default=None),
            run_time=_take(data, "run_time", float, default=None),
            reason=_take(data, "reason", str, default=None),
            outcome=_member(Status, data, "outcome") if "outcome" in data else None,
            token=_take(data, "token", str, default=None) and _id(data, "token"),
            runner=_take(data, "runner", str, default=None),
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """From results to the runner that asked: the start is granted, or refused and why."""

    run_id: str
    token: str
    granted: bool
    reason: str | None = None

    def encode(self) -> bytes:
        """The JSON of the answer."""
        return _encode(
            {"run_id": self.run_id, "token": self.token, "granted": self.granted, "reason": self.reason}
        )

    @classmethod
    def decode(cls, body: bytes) -> "Grant":
        """Read an answer; raises `BadMessage`."""
        data = _decode(body)
        return cls(
            run_id=_id(data, "run_id"),
            token=_take(data, "token", str),
            granted=_take(data, "granted", bool),
            reason=_take(data, "reason", str, default=None),
        )


def job_message(run: Publication) -> JobMessage:
    """The message that asks a runner for this run, when results grants it."""
    return JobMessage(
        run_id=run.run_id,
        job_id=run.job_id,
        name=run.name,
        command=run.command,
        grant=True,
        slot=run.slot,
        attempt=run.attempt,
    )


def _encode(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _decode(body: bytes) -> dict[str, Any]:
    if len(body) > SIZE_LIMIT:
        raise BadMessage(f"too large: {len(body)} bytes, at most {SIZE_LIMIT} are read")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadMessage("not a JSON object")
    return data


_REQUIRED: Any = object()


def _take(data: Mapping[str, Any], key: str, kind: type, default: Any = _REQUIRED) -> Any:
    value = data.get(key, default)
    if value is _REQUIRED:
        raise BadMessage(f"{key}: missing")
    if value is None and default is None:
        return None
    accepted: tuple[type, ...] = (int, float) if kind is float else (kind,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise BadMessage(f"{key}: expected {_EXPECTED[kind]}, found {json.dumps(value)[:60]}")
    if not _storable(value):
        raise BadMessage(f"{key}: {json.dumps(value)[:60]} cannot be stored")
    return value


def _storable(value: Any) -> bool:
    """JSON in Python knows lone surrogates, NaN and integers of any size; a database does not."""
    if isinstance(value, str):
        return not SURROGATE.search(value)
    return bool(-(2**31) <= value < 2**31)


def _id(data: Mapping[str, Any], key: str) -> str:
    value: str = _take(data, key, str)
    if not ID.fullmatch(value):
        raise BadMessage(f"{key}: expected 32 lower-case hex digits, found {json.dumps(value)[:60]}")
    return value


def _time(data: Mapping[str, Any], key: str) -> datetime:
    value = _take(data, key, str)
    try:
        return datetime.strptime(value, TIME_FORMAT)
    except ValueError as error:
        raise BadMessage(f"{key}: expected YYYY-MM-DD HH:MM:SS.ffffff, found {value[:60]!r}") from error


def _slot(data: Mapping[str, Any]) -> datetime | None:
    value = _take(data, "slot", str, default=None)
    try:
        return value and datetime.fromisoformat(value.removesuffix("Z"))
    except ValueError as error:
        raise BadMessage(f"slot: expected an ISO 8601 time, found {value[:60]!r}") from error


def _member(kind: type[enum.StrEnum], data: Mapping[str, Any], key: str) -> Any:
    value = _take(data, key, str)
    try:
        return kind(value)
    except ValueError as error:
        raise BadMessage(f"{key}: expected one of {', '.join(kind)}, found {value[:60]!r}") from error
