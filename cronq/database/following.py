"""Runs of jobs that run after others: made when the last of these has succeeded."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from cronq.database.admissions import Admissions
from cronq.database.bulk import chunks, insert_new
from cronq.database.definitions import define_jobs
from cronq.database.jitters import Jitters, read_jitters
from cronq.database.rows import new_row, skipped
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import jobs, runs
from cronq.database.terms import read_terms
from cronq.domain.following import slot_after
from cronq.domain.reports import RunState
from cronq.domain.rules import AfterSame, Rules, decode_rules
from cronq.domain.runs import Cause, Status, new_run_ids
from cronq.domain.timetable import Term

_DAY = timedelta(days=1)
#: Slots of one job among which the latest is looked for that others have had, too.
_MOST_LOOKED_AT = 500


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
    locks the job that follows before it looks. Jobs that would be due together without their jitter have run
    for the same slot.
    """
    ended = [(run.job_id, run.slot) for run in succeeded if run.slot is not None]
    ids = {job_id for job_id, _ in ended}
    followers = {each.id: each for each in _followers(connection, ids) if each.after & ids}
    leading = frozenset[int]().union(*(follower.after for follower in followers.values()))
    jitters = read_jitters(connection, leading, [slot for _, slot in ended])
    wanted: dict[int, set[datetime]] = defaultdict(set)
    for follower in followers.values():
        for job_id, slot in ended:
            if job_id in follower.after:
                before = jitters.before(job_id, slot)
                wanted[follower.id].add(slot_after(follower.rules.after_same, before))
    if not wanted:
        return
    found = _lock(connection, wanted, now)
    # Before anything is decided: a run that is there already must not make way for itself.
    taken = _taken(connection, wanted)
    complete = {
        job.id: _complete(connection, followers[job.id], slots, jitters)
        for job in found
        if (slots := sorted(wanted[job.id] - taken[job.id]))
    }
    _queue(connection, found, complete, now)


def follow_sooner(connection: Connection, job_ids: Collection[int], now: datetime) -> None:
    """Queue a run of each of these jobs, which have just been told to wait for fewer others than before.

    It is for the latest slot of the last day for which those have succeeded; if that has run, none is made.
    """
    wanted = {}
    for follower in _followers(connection, job_ids) if job_ids else ():
        if follower.id in job_ids and (slots := _latest(connection, follower, now - _DAY)):
            wanted[follower.id] = slots
    if not wanted:
        return
    found = _lock(connection, wanted, now)
    taken = _taken(connection, wanted)
    free = {job_id: [slot for slot in slots if slot not in taken[job_id]] for job_id, slots in wanted.items()}
    _queue(connection, found, free, now)


def _latest(connection: Connection, follower: _Follower, since: datetime) -> list[datetime]:
    """The latest slot, or day, since then for which all have succeeded, as far as one looks; at most one."""
    one = min(follower.after, default=0)
    well = select(runs.c.slot).where(
        runs.c.job_id == one, runs.c.status == Status.SUCCEEDED.value, runs.c.slot >= since
    )
    recent = list(connection.scalars(well.order_by(runs.c.slot.desc()).limit(_MOST_LOOKED_AT)))
    if not recent:
        return []
    jitters = read_jitters(connection, follower.after, recent)
    slots = {slot_after(follower.rules.after_same, jitters.before(one, slot)) for slot in recent}
    return _complete(connection, follower, sorted(slots), jitters)[-1:]


def _lock(connection: Connection, job_ids: Collection[int], now: datetime) -> list[StoredJob]:
    mine = stored_jobs().where(jobs.c.id.in_(sorted(job_ids)), jobs.c.removed_at.is_(None))
    return define_jobs(connection, locked_jobs(connection, mine.order_by(jobs.c.id)), now)


def _queue(
    connection: Connection,
    found: Sequence[StoredJob],
    slots: Mapping[int, Sequence[datetime]],
    now: datetime,
) -> None:
    """Make a run of these jobs for each of their slots."""
    rows = [_row(job, slot, now) for job in found for slot in slots.get(job.id, ())]
    if not rows:
        return
    admissions = Admissions(connection, {job.id: decode_rules(job.rules) for job in found}, now)
    admissions.admit(rows)
    admissions.write()
    ids = zip(rows, new_run_ids(now, len(rows)), strict=True)
    insert_new(connection, runs, [row | {"run_id": run_id} for row, run_id in ids])


def _followers(connection: Connection, job_ids: Collection[int]) -> Iterator[_Follower]:
    """All jobs of the categories of these that run after others."""
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
            if after:
                yield _Follower(row.id, rules, after)


def _taken(connection: Connection, wanted: Mapping[int, Collection[datetime]]) -> Mapping[int, set[datetime]]:
    """The slots of these that have a run, or are slots of their job's own schedule, which sees to them."""
    taken: dict[int, set[datetime]] = defaultdict(set)
    slots = sorted({slot for of_one in wanted.values() for slot in of_one})
    known = select(runs.c.job_id, runs.c.slot).where(
        runs.c.job_id.in_(sorted(wanted)), runs.c.slot.in_(slots)
    )
    for job_id, slot in connection.execute(known):
        taken[job_id].add(slot)
    for job_id, terms in read_terms(connection, wanted, slots[0]).items():
        for term in terms:
            taken[job_id].update(slot for slot in slots if _has_slot(term, slot))
    return taken


def _has_slot(term: Term, moment: datetime) -> bool:
    """Whether there is a slot at that moment, or would be without jitter."""
    if term.schedule is None:
        return False
    found = term.schedule.last_until(moment), term.schedule.slot_with_jitter(moment)
    return any(slot is not None and slot >= moment and term.since < slot <= term.until for slot in found)


def _complete(
    connection: Connection, follower: _Follower, slots: Sequence[datetime], jitters: Jitters
) -> list[datetime]:
    """Those of the slots, or days, for which all have succeeded."""
    by_day = follower.rules.after_same is AfterSame.DAY
    well = select(runs.c.job_id, runs.c.slot).where(
        runs.c.job_id.in_(sorted(follower.after)), runs.c.status == Status.SUCCEEDED.value
    )
    if by_day:
        end = slots[-1] + _DAY + jitters.longest(follower.after)
        well = well.where((runs.c.slot >= slots[0]) & (runs.c.slot < end))
    else:
        well = well.where(runs.c.slot.in_(jitters.slots_for(follower.after, slots)))
    done: dict[datetime, set[int]] = defaultdict(set)
    for job_id, slot in connection.execute(well):
        done[slot_after(follower.rules.after_same, jitters.before(job_id, slot))].add(job_id)
    return [slot for slot in slots if done[slot] == follower.after]


def _row(job: StoredJob, slot: datetime, now: datetime) -> dict[str, Any]:
    row = new_row(job, now) | {"status": Status.QUEUED.value, "slot": slot, "cause": Cause.AFTER.value}
    pause = job.terms().pause
    if pause is not None and now < pause.end:
        return row | skipped(pause.reason, now)
    return row | {"publish_after": now}
