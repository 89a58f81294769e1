"""What the API says of jobs and runs, as values: it comes over a network, so each is looked at first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cronq.domain.runs import Status
from cronq.domain.schedule_keys import TIME_KEYS

WHEN_KEYS = ("schedule", *TIME_KEYS)
_STATES = {"starting": Status.RUNNING.value, "none": "never ran"}
_FINAL = frozenset(status.value for status in Status if status.final)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job; all times are UTC."""

    id: str
    #: A `Status`, or what a server of another version says.
    status: str
    slot: datetime | None
    #: Of a row for several slots: the last of them, and how many they are.
    last_slot: datetime | None
    slots: int
    #: From 1; a later one is a retry.
    attempt: int
    started_at: datetime | None
    completed_at: datetime | None
    run_time: timedelta | None
    return_code: int | None
    host: str
    reason: str
    #: As the API gave it.
    raw: dict[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in _FINAL

    @property
    def by_hand(self) -> bool:
        """Whether it is the first attempt of what somebody asked for."""
        return self.slot is None and self.attempt == 1

    @property
    def succeeded(self) -> bool:
        """Whether it did what it should."""
        return self.status == Status.SUCCEEDED

    @property
    def duration(self) -> timedelta | None:
        """How long its command ran; None also for a lost run, as nobody knows when it ended."""
        if self.run_time is None and self.status != Status.LOST and self.started_at and self.completed_at:
            return self.completed_at - self.started_at
        return self.run_time


@dataclass(frozen=True, slots=True)
class Job:
    """A job with its latest runs, the latest first; all times are UTC."""

    id: int
    name: str
    category: str
    #: The keys of a document that say when it runs; empty when the server has no text for it.
    when: Mapping[str, Any]
    #: The same in words; None when the server does not say it.
    schedule_in_words: str | None
    interval: timedelta | None
    command: str
    routing_key: str
    #: As a document says them; None: the server does not know of rules.
    rules: dict[str, Any] | None
    next_run: datetime | None
    last_run_start: datetime | None
    current_status: str
    removed_at: datetime | None
    runs: tuple[Run, ...]
    #: As the API gave it.
    raw: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> str:
        """How it stands with the job: that it is running, or what became of its latest run.

        A run that is running need not be the latest: those after it may have been skipped, or wait for it.
        """
        going_on = self.current_status == "starting" and all(run.ended for run in self.runs)
        if going_on or any(run.status == Status.RUNNING for run in self.runs):
            return Status.RUNNING.value
        if self.runs:
            return self.runs[0].status
        return _STATES.get(self.current_status, self.current_status)

    @property
    def title(self) -> str:
        """What a person calls it, and what a command takes."""
        return f"{self.category}/{self.name}"


@dataclass(frozen=True, slots=True)
class Runner:
    """A runner; all times are UTC."""

    id: str
    host: str
    #: A `RunnerStatus`, or what a server of another version says.
    status: str
    version: str
    queue: str
    routing_keys: tuple[str, ...]
    #: How many commands it runs at once, and how many runs it has in hand.
    concurrency: int
    busy: int
    #: Seconds.
    clock_ahead: float
    last_heard: datetime | None
    #: As the API gave it.
    raw: dict[str, Any] = field(repr=False)


def read_job(data: Any) -> Job:
    """A job of the API; raises `ValueError`, `TypeError` or `KeyError` when it is none."""
    return Job(
        id=_number(data["id"]),
        name=_text(data["name"]),
        category=_text(data["category"]["name"]) if data["category"] else "",
        when={key: data[key] for key in WHEN_KEYS if data.get(key) is not None},
        schedule_in_words=_optional(_text, data.get("schedule_in_words")),
        interval=_optional(_span, data.get("interval")),
        command=_text(data["command"]),
        routing_key=_text(data["routing_key"]),
        rules=_optional(dict, data.get("rules")),
        next_run=_optional(_moment, data["next_run"]),
        last_run_start=_optional(_moment, data["last_run_start"]),
        current_status=_text(data["current_status"]),
        removed_at=_optional(_moment, data.get("removed_at")),
        runs=tuple(map(read_run, data["runs"])),
        raw=data,
    )


def read_run(data: Any) -> Run:
    """A run of the API; raises what `read_job` raises."""
    return Run(
        id=_text(data["id"]),
        status=_text(data["status"]),
        slot=_optional(_moment, data.get("slot")),
        last_slot=_optional(_moment, data.get("last_slot")),
        slots=_number(data.get("slots", 1)),
        attempt=_number(data.get("attempt", 1)),
        started_at=_optional(_moment, data["started_at"]),
        completed_at=_optional(_moment, data["completed_at"]),
        run_time=_optional(_span, data.get("run_time")),
        return_code=_optional(_number, data["return_code"]),
        host=_optional(_text, data["host"]) or "",
        reason=_optional(_text, data.get("reason")) or "",
        raw=data,
    )


def read_runner(data: Any) -> Runner:
    """A runner of the API; raises what `read_job` raises."""
    return Runner(
        id=_text(data["id"]),
        host=_text(data["host"]),
        status=_text(data["status"]),
        version=_text(data["version"]),
        queue=_text(data["queue"]),
        routing_keys=tuple(map(_text, data["routing_keys"])),
        concurrency=_number(data["concurrency"]),
        busy=_number(data["busy"]),
        clock_ahead=_span(data["clock_ahead"]).total_seconds(),
        last_heard=_optional(_moment, data["last_heard"]),
        raw=data,
    )


def _optional(read: Any, value: Any) -> Any:
    return None if value is None else read(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("expected a whole number")
    return value


def _span(value: Any) -> timedelta:
    try:
        return timedelta(seconds=value)
    except OverflowError as error:
        raise ValueError("expected a number of seconds") from error


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
