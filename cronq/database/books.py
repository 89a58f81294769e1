"""Closing the books on jobs: a row in `runs` for every slot that is due, and the job moved on to its next."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from cronq.database.tables import definitions, jobs, runs
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import Publication
from cronq.domain.runs import Status, new_run_ids
from cronq.domain.schedule import Schedule, fixed_interval, parse_schedule
from cronq.domain.settlement import Missed, settle

MISSED_REASON = "no injector claimed it before a later slot was due"


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job's row, locked, with the definition that it answers to."""

    id: int
    name: str
    schedule_text: str | None
    interval: timedelta | None
    next_run: datetime | None
    settled_until: datetime | None
    run_now: int | None
    command: str
    routing_key: str
    category_id: int | None
    removed_at: datetime | None
    definition_id: int | None
    defined_schedule: str | None
    defined_command: str | None
    defined_routing_key: str | None

    @property
    def defined(self) -> bool:
        """Whether its definition says what the row says; 0.27 and people at a prompt change only the row."""
        return self.definition_id is not None and (
            (self.defined_schedule, self.defined_command, self.defined_routing_key)
            == (self.schedule_text, self.command, self.routing_key)
        )

    def books_closed(self, next_run: datetime) -> datetime:
        """The instant up to which its slots are accounted for. (0.27 only knows the next one that is not.)"""
        return self.settled_until or next_run - datetime.resolution

    def schedule(self) -> Schedule:
        """What it runs by. A job that 0.27 stored has no text: its next run and interval are its schedule.

        Raises `BadSchedule`.
        """
        return _schedule(self.schedule_text, self.next_run, self.interval)


@dataclass(slots=True)
class Closing:
    """What closing the books of several jobs came to."""

    #: The runs that were recorded and now wait to be published.
    publications: list[Publication] = field(default_factory=list)
    #: The jobs' new `next_run` and `settled_until`, as rows for an update by id.
    moved: list[dict[str, Any]] = field(default_factory=list)
    #: Jobs whose stored schedule cannot be read, and why.
    unreadable: list[tuple[int, str]] = field(default_factory=list)


@functools.lru_cache(maxsize=20_000)
def _schedule(schedule_text: str | None, next_run: datetime | None, interval: timedelta | None) -> Schedule:
    if schedule_text is not None:
        return parse_schedule(schedule_text)
    if next_run is None or not interval:
        raise BadSchedule("it has neither a schedule nor an interval")
    return fixed_interval(next_run, interval)


def stored_jobs() -> Select[Any]:
    """Selects what makes up a `StoredJob`."""
    return select(
        jobs.c.id,
        jobs.c.name,
        jobs.c.schedule,
        jobs.c.interval,
        jobs.c.next_run,
        jobs.c.settled_until,
        jobs.c.run_now,
        jobs.c.command,
        jobs.c.routing_key,
        jobs.c.category_id,
        jobs.c.removed_at,
        definitions.c.id,
        definitions.c.schedule,
        definitions.c.command,
        definitions.c.routing_key,
    ).select_from(
        jobs.outerjoin(definitions, (definitions.c.job_id == jobs.c.id) & definitions.c.until.is_(None))
    )


def close_books(
    connection: Connection, due: Sequence[StoredJob], now: datetime, publish_within: float
) -> Closing:
    """Record every slot of these jobs that is due at `now`, and their runs by hand.

    Their rows are locked by this transaction. The latest due slot becomes a queued run, the ones before it
    one `missed` row. Whoever asks has `publish_within` seconds to publish the runs, until any injector does.
    The jobs themselves are left for the caller to update, by `moved`.
    """
    closing = Closing()
    rows: list[dict[str, Any]] = []
    publish_after = now + timedelta(seconds=publish_within)
    for job in due:
        try:
            rows += _close(job, now, publish_after, closing)
        except BadSchedule as error:
            closing.unreadable.append((job.id, str(error)))
            closing.moved.append({"id": job.id, "next_run": None, "settled_until": job.settled_until})
    for row, run_id in zip(rows, new_run_ids(now, len(rows)), strict=True):
        row["run_id"] = run_id
    recorded = _insert(connection, rows)
    names = {job.id: job for job in due}
    closing.publications = [
        _publication(row, names[row["job_id"]]) for row in recorded if row["publish_after"]
    ]
    return closing


def _close(job: StoredJob, now: datetime, publish_after: datetime, closing: Closing) -> list[dict[str, Any]]:
    rows = []
    if job.next_run is not None:
        settlement = settle(job.schedule(), job.books_closed(job.next_run), now)
        closing.moved.append(
            {"id": job.id, "next_run": settlement.next_run, "settled_until": settlement.settled_until}
        )
        if settlement.missed:
            rows.append(_missed(job, settlement.missed, now))
        if settlement.slot:
            rows.append(_queued(job, settlement.slot, now, publish_after))
    else:
        closing.moved.append({"id": job.id, "next_run": None, "settled_until": job.settled_until})
    if job.run_now and job.removed_at is None:
        rows.append(_queued(job, None, now, publish_after))
    return rows


def _queued(job: StoredJob, slot: datetime | None, now: datetime, publish_after: datetime) -> dict[str, Any]:
    return _row(job, now) | {"status": Status.QUEUED.value, "slot": slot, "publish_after": publish_after}


def _missed(job: StoredJob, missed: Missed, now: datetime) -> dict[str, Any]:
    return _row(job, now) | {
        "status": Status.MISSED.value,
        "reason": MISSED_REASON,
        "slot": missed.first,
        "last_slot": missed.last,
        "slots": missed.count,
        "recorded_at": now,
    }


def _row(job: StoredJob, now: datetime) -> dict[str, Any]:
    # Every row has the same keys, so that all of them go into one statement.
    return {
        "job_id": job.id,
        "definition_id": job.definition_id,
        "queued_at": now,
        "publish_after": None,
        "reason": None,
        "last_slot": None,
        "slots": 1,
        "recorded_at": None,
    }


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert the rows whose slot has no row yet; gives those."""
    if not rows:
        return []
    try:
        with connection.begin_nested():
            connection.execute(insert(runs), rows)
    except IntegrityError:
        rows = _without_row(connection, rows)
        if rows:
            connection.execute(insert(runs), rows)
    return rows


def _without_row(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = [(row["job_id"], row["slot"]) for row in rows if row["slot"]]
    taken = {
        (job_id, slot)
        for job_id, slot in connection.execute(
            select(runs.c.job_id, runs.c.slot).where(tuple_(runs.c.job_id, runs.c.slot).in_(wanted))
        )
    }
    return [row for row in rows if (row["job_id"], row["slot"]) not in taken]


def _publication(row: dict[str, Any], job: StoredJob) -> Publication:
    return Publication(
        run_id=row["run_id"],
        job_id=job.id,
        name=job.name,
        command=job.command,
        routing_key=job.routing_key,
        slot=row["slot"],
        attempt=1,
    )
