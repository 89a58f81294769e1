"""A job as it is read, and the query that reads it."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from cronq.database.reading.categories import CategoryRecord
from cronq.database.tables import categories, jobs
from cronq.domain.errors import BadSchedule
from cronq.domain.pauses import Pause, pause_of
from cronq.domain.rules import Rules, decode_rules
from cronq.domain.runs import Status
from cronq.domain.schedules import Schedule, Specification, fixed_interval, parse_schedule


class JobState(enum.StrEnum):
    """What the last report about a job said: `current_status`."""

    STARTING = "starting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    #: It never ran.
    NONE = "none"


_REPORTED = {
    JobState.STARTING: Status.RUNNING,
    JobState.SUCCEEDED: Status.SUCCEEDED,
    JobState.FAILED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it is stored; all times are UTC."""

    id: int
    name: str
    #: None in a row that somebody wrote by hand.
    category: CategoryRecord | None
    #: None for a job that 0.27 stored.
    schedule_text: str | None
    #: The length of one step.
    interval: timedelta | None
    next_run: datetime | None
    last_run_start: datetime | None
    last_run_stop: datetime | None
    #: How its last run ended; None before the first end.
    last_run_status: Status | None
    state: JobState
    routing_key: str
    command: str
    #: As `Rules.encode` wrote them.
    rules_text: str | None
    #: Whether a run by hand is asked for and no injector has seen it yet.
    run_wanted: bool
    #: `host.pid` of the last injector that took it.
    locked_by: str | None
    removed_at: datetime | None
    #: What people asked for: until when it is paused and why, and a slot that is to be skipped.
    paused_until: datetime | None
    pause_reason: str | None
    skip_slot: datetime | None

    @property
    def reported_status(self) -> Status | None:
        """What of its state is known without the ledger; None when it never ran."""
        return _REPORTED.get(self.state)

    @property
    def rules(self) -> Rules:
        """What it asks for besides."""
        return decode_rules(self.rules_text)

    @property
    def schedule_in_words(self) -> str | None:
        """When it runs, as a phrase; None when that is not known, or never."""
        schedule, after = self.schedule(), self.rules.after
        parts = [schedule.in_words()] if schedule else []
        if after:
            parts.append(f"after {', '.join(after)}")
        return ", and ".join(parts) or None

    def pause(self, now: datetime) -> Pause | None:
        """What keeps its slots from running, whoever asked for it."""
        found = pause_of(self.rules, self.paused_until, self.pause_reason)
        return found if found is not None and now < found.end else None

    def specification(self) -> Specification | None:
        """What its document says of when it runs; None when the row does not say it."""
        try:
            return None if self.schedule_text is None else Specification.decode(self.schedule_text)
        except BadSchedule:
            return None

    def schedule(self) -> Schedule | None:
        """What it runs by; None when the row does not say it.

        A job that 0.27 stored has no text: its next run and its interval are its schedule.
        """
        try:
            if self.schedule_text is not None:
                return parse_schedule(self.schedule_text)
            if self.next_run and self.interval:
                return fixed_interval(self.next_run, self.interval)
        except BadSchedule:
            pass  # somebody wrote it by hand; the injector leaves such a job alone and says so
        return None

    def schedule_texts(self) -> tuple[str, ...]:
        """The texts of its schedules, as they are in its document; none for a job that 0.27 stored."""
        specification = self.specification()
        if specification is None:
            return () if self.schedule_text is None else (self.schedule_text,)
        return specification.schedules


def find_job(connection: Connection, job_id: int) -> JobRecord | None:
    """The job of that id, removed or not."""
    return find_jobs(connection, {job_id}).get(job_id)


def find_jobs(connection: Connection, job_ids: Collection[int]) -> Mapping[int, JobRecord]:
    """The jobs of these ids, removed or not, by id."""
    if not job_ids:
        return {}
    query = select_jobs().where(jobs.c.id.in_(sorted(job_ids)))
    return {job.id: job for job in job_records(connection, query)}


def select_jobs() -> Select[Any]:
    """Selects what `job_records` reads, one row for each job; the removed ones are among them."""
    return select(jobs, categories.c.name.label("category_name")).select_from(
        jobs.outerjoin(categories, categories.c.id == jobs.c.category_id)
    )


def job_records(connection: Connection, query: Select[Any]) -> list[JobRecord]:
    """Run a query that was made with `select_jobs`."""
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> JobRecord:
    ended = _ended(row.last_run_status)
    return JobRecord(
        id=row.id,
        name=row.name or "",
        category=None if row.category_id is None else CategoryRecord(row.category_id, row.category_name),
        schedule_text=row.schedule,
        interval=row.interval,
        next_run=row.next_run,
        last_run_start=row.last_run_start,
        last_run_stop=row.last_run_stop,
        last_run_status=ended,
        state=_state(row.current_status, ended),
        routing_key=row.routing_key or "",
        command=row.command or "",
        rules_text=row.rules,
        run_wanted=row.run_now == 1,
        locked_by=row.locked_by,
        removed_at=row.removed_at,
        paused_until=row.paused_until,
        pause_reason=row.pause_reason,
        skip_slot=row.skip_slot,
    )


def _ended(stored: str | None) -> Status | None:
    if stored is None:
        return None
    return Status.SUCCEEDED if stored == Status.SUCCEEDED else Status.FAILED


def _state(stored: str | None, ended: Status | None) -> JobState:
    # 0.27 also wrote `finished`, when a command had ended and failed.
    if stored in {JobState.STARTING, JobState.SUCCEEDED, JobState.FAILED}:
        return JobState(stored)
    if stored is None and ended is None:
        return JobState.NONE
    return JobState.SUCCEEDED if ended is Status.SUCCEEDED else JobState.FAILED
