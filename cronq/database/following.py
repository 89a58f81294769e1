"""Runs of jobs that run after others: made when the last of these has succeeded."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from cronq.database.admissions import Admissions
from cronq.database.bulk import chunks, insert_new
from cronq.database.definitions import define_jobs
from cronq.database.rows import new_row, skipped
from cronq.database.stored import StoredJob, locked_jobs, read_schedule, stored_jobs
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.errors import BadSchedule
from cronq.domain.following import slot_after
from cronq.domain.reports import RunState
from cronq.domain.rules import AfterSame, Rules, decode_rules
from cronq.domain.runs import Cause, Status, new_run_ids

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Follower:
    """A job that runs after others of its category."""

    id: int
    rules: Rules
    #: The ids of the jobs that it runs after.
    after: frozenset[int]


def follow(connection: Connection, succeeded: Collection[RunState], now: datetime) -> None:
    """Queue a run of each job that waited for these, and for no others any more.

    Of several transactions that record the last successes, the one that comes last sees those of all: each
    locks the job that follows before it looks.
    """
    followers = _followers(connection, {run.job_id for run in succeeded})
    wanted: dict[int, set[datetime]] = defaultdict(set)
    for follower in followers.values():
        for run in succeeded:
            if run.job_id in follower.after and run.slot is not None:
                wanted[follower.id].add(slot_after(follower.rules.after_same, run.slot))
    if not wanted:
        return
    mine = stored_jobs().where(jobs.c.id.in_(sorted(wanted)), jobs.c.removed_at.is_(None))
    found = define_jobs(connection, locked_jobs(connection, mine.order_by(jobs.c.id)), now)
    # Before anything is decided: a run that is there already must not make way for itself.
    taken = _taken(connection, wanted)
    rows = [
        _row(job, slot, now)
        for job in found
        if (slots := sorted(wanted[job.id] - taken[job.id]))
        for slot in _complete(connection, followers[job.id], slots)
    ]
    if not rows:
        return
    admissions = Admissions(connection, {job.id: decode_rules(job.rules) for job in found}, now)
    admissions.admit(rows)
    admissions.write()
    ids = zip(rows, new_run_ids(now, len(rows)), strict=True)
    insert_new(connection, runs, [row | {"run_id": run_id} for row, run_id in ids])


def _followers(connection: Connection, job_ids: Collection[int]) -> dict[int, _Follower]:
    """The jobs that run after these, and those that they run after besides."""
    found: dict[int, _Follower] = {}
    its_category = select(jobs.c.category_id).where(jobs.c.id.in_(sorted(job_ids))).distinct()
    for some in chunks(sorted(filter(None, connection.scalars(its_category)))):
        query = select(jobs.c.id, jobs.c.name, jobs.c.category_id, jobs.c.rules).where(
            jobs.c.category_id.in_(some), jobs.c.removed_at.is_(None)
        )
        rows = connection.execute(query).all()
        ids: Mapping[tuple[int, str], int] = {(row.category_id, row.name): row.id for row in rows}
        for row in rows:
            rules = decode_rules(row.rules)
            after = frozenset(
                ids[row.category_id, name] for name in rules.after if (row.category_id, name) in ids
            )
            if after & set(job_ids):
                found[row.id] = _Follower(row.id, rules, after)
    return found


def _taken(connection: Connection, wanted: Mapping[int, Collection[datetime]]) -> Mapping[int, set[datetime]]:
    """The slots of these that have a run, or are slots of their job's own schedule, which sees to them."""
    taken: dict[int, set[datetime]] = defaultdict(set)
    slots = sorted({slot for of_one in wanted.values() for slot in of_one})
    known = select(runs.c.job_id, runs.c.slot).where(
        runs.c.job_id.in_(sorted(wanted)), runs.c.slot.in_(slots)
    )
    for job_id, slot in connection.execute(known):
        taken[job_id].add(slot)
    scheduled = definitions.c.schedule.is_not(None) | definitions.c.anchor.is_not(None)
    in_force = definitions.c.until.is_(None) | (definitions.c.until >= slots[0])
    defined = select(definitions).where(definitions.c.job_id.in_(sorted(wanted)), scheduled, in_force)
    for row in connection.execute(defined):
        term = (slot for slot in slots if row.since < slot <= (row.until or datetime.max))
        taken[row.job_id].update(slot for slot in term if _is_slot(row, slot))
    return taken


def _is_slot(definition: Row[Any], slot: datetime) -> bool:
    try:
        schedule = read_schedule(definition.schedule, definition.anchor, definition.interval)
    except BadSchedule:
        return False
    return schedule.last_until(slot) == slot


def _complete(connection: Connection, follower: _Follower, slots: Sequence[datetime]) -> list[datetime]:
    """Those of the slots, or days, for which all have succeeded."""
    by_day = follower.rules.after_same is AfterSame.DAY
    well = select(runs.c.job_id, runs.c.slot).where(
        runs.c.job_id.in_(sorted(follower.after)), runs.c.status == Status.SUCCEEDED.value
    )
    well = well.where(
        (runs.c.slot >= slots[0]) & (runs.c.slot < slots[-1] + _DAY) if by_day else runs.c.slot.in_(slots)
    )
    done: dict[datetime, set[int]] = defaultdict(set)
    for job_id, slot in connection.execute(well):
        done[slot_after(follower.rules.after_same, slot)].add(job_id)
    return [slot for slot in slots if done[slot] == follower.after]


def _row(job: StoredJob, slot: datetime, now: datetime) -> dict[str, Any]:
    row = new_row(job, now) | {"status": Status.QUEUED.value, "slot": slot, "cause": Cause.AFTER.value}
    pause = job.terms().pause
    if pause is not None and now < pause.end:
        return row | skipped(pause.reason, now)
    return row | {"publish_after": now}
