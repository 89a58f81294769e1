"""Closing the books on jobs: a row in `runs` for every slot that is due, and the job moved on to its next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from cronq.database.admissions import Admissions
from cronq.database.stored import StoredJob
from cronq.database.tables import runs
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import Publication
from cronq.domain.rules import decode_rules
from cronq.domain.runs import Status, new_run_ids
from cronq.domain.settlement import Missed, settle

MISSED_REASON = "no injector claimed it before a later slot was due"


@dataclass(slots=True)
class Closing:
    """What closing the books of several jobs came to."""

    #: The runs that were recorded and now wait to be published.
    publications: list[Publication] = field(default_factory=list)
    #: The jobs' new `next_run` and `settled_until`, as rows for an update by id.
    moved: list[dict[str, Any]] = field(default_factory=list)
    #: Jobs whose stored schedule cannot be read, and why.
    unreadable: list[tuple[int, str]] = field(default_factory=list)


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
        rows += _close(job, now, publish_after, closing)
    admissions = Admissions(connection, {job.id: decode_rules(job.rules) for job in due if job.rules}, now)
    admissions.admit(rows)
    admissions.write()
    for row, run_id in zip(rows, new_run_ids(now, len(rows)), strict=True):
        row["run_id"] = run_id
    recorded = _insert(connection, rows)
    names = {job.id: job for job in due}
    closing.publications = [
        _publication(row, names[row["job_id"]]) for row in recorded if row["publish_after"]
    ]
    return closing


def _close(job: StoredJob, now: datetime, publish_after: datetime, closing: Closing) -> list[dict[str, Any]]:
    rows = _close_slots(job, now, publish_after, closing)
    if job.run_now and job.removed_at is None:
        rows.append(_queued(job, None, now, publish_after))
    return rows


def _close_slots(
    job: StoredJob, now: datetime, publish_after: datetime, closing: Closing
) -> list[dict[str, Any]]:
    moved = {"id": job.id, "next_run": None, "settled_until": job.settled_until}
    closing.moved.append(moved)
    if job.next_run is None:
        return []
    try:
        settlement = settle(job.schedule(), job.books_closed(now), now)
    except BadSchedule as error:
        closing.unreadable.append((job.id, str(error)))
        return []
    moved |= {"next_run": settlement.next_run, "settled_until": settlement.settled_until}
    rows = []
    if settlement.missed:
        rows.append(_missed(job, settlement.missed, now))
    if settlement.slot:
        rows.append(_queued(job, settlement.slot, now, publish_after))
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
        "definition_id": job.definition and job.definition.id,
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
