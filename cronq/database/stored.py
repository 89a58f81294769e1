"""Job rows as they are stored, locked for whoever closes their books or changes them."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cronq.database.bulk import chunks
from cronq.database.tables import definitions, jobs
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import DEFAULT_ROUTING_KEY
from cronq.domain.pauses import pause_of
from cronq.domain.rules import decode_rules
from cronq.domain.schedules import Schedule, fixed_interval, parse_schedule
from cronq.domain.settlement import NO_TERMS, Terms

_EARLIEST = datetime(1000, 1, 1)  # that MySQL promises to store


@dataclass(frozen=True, slots=True)
class Definition:
    """What a job is from an instant on; the runs that are made with it point here."""

    id: int
    since: datetime
    schedule_text: str | None
    #: The grid of a schedule without text.
    anchor: datetime | None
    interval: timedelta | None
    command: str
    routing_key: str
    #: As `Rules.encode` wrote them.
    rules: str | None


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job's row, locked."""

    id: int
    name: str
    schedule_text: str | None
    interval: timedelta | None
    next_run: datetime | None
    settled_until: datetime | None
    run_now: int | None
    command: str
    routing_key: str
    rules: str | None
    removed_at: datetime | None
    #: What people asked for: until when it is paused and why, and a slot that is to be skipped.
    paused_until: datetime | None = None
    pause_reason: str | None = None
    skip_slot: datetime | None = None
    #: The row of skipped slots that grows.
    range_run_id: str | None = None
    #: What it answers to, once it has been looked up.
    definition: Definition | None = None

    @property
    def defined(self) -> bool:
        """Whether its definition says what the row says; 0.27 and people at a prompt change only the row."""
        current = self.definition
        return current is not None and (
            (current.schedule_text, current.command, current.routing_key, current.rules)
            == (self.schedule_text, self.command, self.routing_key, self.rules)
            and self._on_grid(current)
        )

    def is_due(self, now: datetime) -> bool:
        """Whether there is a run to be made at `now`, by hand or by time."""
        return bool(self.run_now) or (self.next_run is not None and self.next_run <= now)

    def books_closed(self, now: datetime) -> datetime:
        """The instant up to which its slots are accounted for. (0.27 only knows the next one that is not.)"""
        if self.settled_until is not None:
            return self.settled_until
        if self.next_run is None:
            return now
        return min(now, max(self.next_run, _EARLIEST) - datetime.resolution)

    def schedule(self) -> Schedule:
        """What it runs by. A job that 0.27 stored has no text: its next run and interval are its schedule.

        Raises `BadSchedule`.
        """
        return read_schedule(self.schedule_text, self.next_run, self.interval)

    def terms(self) -> Terms:
        """What is asked of it besides its schedule."""
        if self.rules is None and self.paused_until is None and self.skip_slot is None:
            return NO_TERMS
        rules = decode_rules(self.rules)
        return Terms(rules, pause_of(rules, self.paused_until, self.pause_reason), self.skip_slot)

    def _on_grid(self, current: Definition) -> bool:
        if self.schedule_text is not None or self.next_run is None or not self.interval:
            return True
        return (
            current.interval == self.interval
            and current.anchor is not None
            and (self.next_run - current.anchor) % self.interval == timedelta(0)
        )


@functools.lru_cache(maxsize=20_000)
def read_schedule(text: str | None, anchor: datetime | None, interval: timedelta | None) -> Schedule:
    """The schedule of a text or, without one, of one slot and the time between two; raises `BadSchedule`."""
    if text is not None:
        return parse_schedule(text)
    if anchor is None or not interval:
        raise BadSchedule("it has neither a schedule nor an interval")
    return fixed_interval(anchor, interval)


def stored_jobs() -> Select[Any]:
    """Selects what makes up a `StoredJob`; every column of 0.27 may be NULL."""
    return select(
        jobs.c.id,
        func.coalesce(jobs.c.name, ""),
        jobs.c.schedule,
        jobs.c.interval,
        jobs.c.next_run,
        jobs.c.settled_until,
        jobs.c.run_now,
        func.coalesce(jobs.c.command, ""),
        func.coalesce(jobs.c.routing_key, DEFAULT_ROUTING_KEY),
        jobs.c.rules,
        jobs.c.removed_at,
        jobs.c.paused_until,
        jobs.c.pause_reason,
        jobs.c.skip_slot,
        jobs.c.range_run_id,
    )


def locked_jobs(connection: Connection, query: Select[Any], *, skip_locked: bool = False) -> list[StoredJob]:
    """Lock and give the jobs that a query of `stored_jobs()` finds, without their definitions."""
    rows = connection.execute(query.with_for_update(skip_locked=skip_locked))
    return [StoredJob(*row) for row in rows]


def with_definitions(connection: Connection, found: Sequence[StoredJob]) -> list[StoredJob]:
    """The same jobs, each with its definition.

    Definitions change only under the lock of their job, so they are read without one. (Joined to the query
    that skips what is locked, a definition that someone locks for a moment would seem not to be there.)
    """
    current = {
        row.job_id: Definition(*row[1:])
        for job_ids in chunks([job.id for job in found])
        for row in connection.execute(_current_definitions(job_ids))
    }
    return [replace(job, definition=current.get(job.id)) for job in found]


def _current_definitions(job_ids: Sequence[int]) -> Select[Any]:
    return select(
        definitions.c.job_id,
        definitions.c.id,
        definitions.c.since,
        definitions.c.schedule,
        definitions.c.anchor,
        definitions.c.interval,
        definitions.c.command,
        definitions.c.routing_key,
        definitions.c.rules,
    ).where(definitions.c.job_id.in_(job_ids), definitions.c.until.is_(None))
