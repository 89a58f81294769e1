"""The messages between the daemons: how each is built, read and refused."""

import enum
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cronq.domain.errors import BadMessage
from cronq.domain.jobs import Publication
from cronq.domain.message_fields import (
    Fields,
    optional,
    read_fields,
    take,
    take_id,
    take_iso_time,
    take_member,
    take_texts,
    take_time,
    time_text,
    write_fields,
)
from cronq.domain.message_rules import command_rules, take_rules
from cronq.domain.outputs import Output, take_output
from cronq.domain.requests import decode_request
from cronq.domain.rules import DEFAULT_RULES, Rules, decode_rules
from cronq.domain.runs import ENDED, Status

_OUTCOMES = tuple(status for status in Status if status in ENDED)


class Report(enum.StrEnum):
    """What a runner reports about a run: the type of a result message and of an event."""

    STARTING = "starting"
    FINISHED = "finished"
    #: The command could not be run at all.
    FAILED = "failed"
    #: Its runner died and left it; nobody knows how it would have ended.
    LOST = "lost"
    #: Its runner stops and hands it back; whether it was granted or not, it was not started.
    RETURNED = "returned"


#: The type of an event that no runner reports: results has heard of a start that it had not granted.
STARTED_TWICE = "started_twice"


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
    #: Those of the command; they and the command are of one definition.
    rules: Rules = DEFAULT_RULES
    #: `$1` and so on in the command.
    arguments: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The JSON of the message, in both spellings of command and job id."""
        data: dict[str, Any] = {
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
        asked = {"rules": command_rules(self.rules), "arguments": self.arguments}
        return write_fields(data | {key: value for key, value in asked.items() if value})

    @classmethod
    def decode(cls, body: bytes) -> "JobMessage":
        """Read a message of this version, of 0.27 or of any other program; raises `BadMessage`."""
        data = read_fields(body)
        command = take(data, "command" if "command" in data else "cmd", str)
        if "\0" in command:
            raise BadMessage("command: a NUL cannot be part of a command")
        return cls(
            run_id=take_id(data, "run_id"),
            job_id=take(data, "job_id" if "job_id" in data else "id", int),
            name=take(data, "name", str),
            command=command,
            grant=take(data, "grant", bool, default=False),
            slot=optional(take_iso_time, data, "slot"),
            attempt=take(data, "attempt", int, default=1),
            rules=take_rules(data, "rules"),
            arguments=take_texts(data, "arguments", default=()),
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
    #: How it ended when the return code does not say it (`timed_out`, `killed`).
    outcome: Status | None = None
    #: Of `starting` and `returned`: names this attempt to start, so that the same request is granted twice
    #: and no other is.
    token: str | None = None
    #: The runner's id.
    runner: str | None = None
    #: Of `finished`.
    output: Output | None = None

    @property
    def message_id(self) -> str:
        """Unique among the reports of all runs."""
        return f"{self.run_id}.{self.report}"

    @property
    def asks(self) -> bool:
        """Whether it asks for a grant."""
        return self.report is Report.STARTING and self.token is not None

    @property
    def of_a_grant(self) -> bool:
        """Whether it is about a start that has to be granted, and so about a run of the ledger."""
        return self.asks or self.report is Report.RETURNED

    def encode(self) -> bytes:
        """The JSON of the message, without the keys that its type does not have."""
        data: dict[str, Any] = {
            "job_id": self.job_id,
            "run_id": self.run_id,
            "type": self.report,
            "x-send-datetime": time_text(self.sent_at),
            "x-host": self.host,
            "start_time": self.start_time and time_text(self.start_time),
            "return_code": self.return_code,
            "run_time": self.run_time,
            "reason": self.reason,
            "outcome": self.outcome,
            "token": self.token,
            "runner": self.runner,
            "output": self.output and self.output.as_json(),
        }
        return write_fields({key: value for key, value in data.items() if value is not None})

    @classmethod
    def decode(cls, body: bytes) -> "ResultMessage":
        """Read a message of this version or of 0.27; raises `BadMessage`."""
        data = read_fields(body)
        report = take_member(tuple(Report), data, "type")
        if report is Report.FINISHED:
            take(data, "return_code", int)
        return cls(
            run_id=take_id(data, "run_id"),
            job_id=take(data, "job_id", int),
            report=report,
            sent_at=take_time(data, "x-send-datetime"),
            host=take(data, "x-host", str),
            start_time=optional(take_time, data, "start_time"),
            return_code=take(data, "return_code", int, default=None),
            run_time=take(data, "run_time", float, default=None),
            reason=take(data, "reason", str, default=None),
            outcome=optional(_take_outcome, data, "outcome"),
            token=optional(take_id, data, "token"),
            runner=take(data, "runner", str, default=None),
            output=optional(take_output, data, "output"),
        )


def job_message(run: Publication) -> JobMessage:
    """The message that asks a runner for this run, when results grants it."""
    rules, request = decode_rules(run.rules), decode_request(run.request)
    if request is not None and request.environment:
        rules = replace(rules, environment={**rules.environment, **request.environment})
    return JobMessage(
        run_id=run.run_id,
        job_id=run.job_id,
        name=run.name,
        command=run.command,
        grant=True,
        slot=run.slot,
        attempt=run.attempt,
        rules=rules,
        arguments=request.arguments if request else (),
    )


def _take_outcome(data: Fields, key: str) -> Status:
    return take_member(_OUTCOMES, data, key)
