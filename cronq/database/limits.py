"""How many runs of a job are open, and which of those that wait may go."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, update

from cronq.database.bulk import chunks
from cronq.database.gateway import now as database_now
from cronq.database.rows import missed
from cronq.database.tables import jobs, runs
from cronq.domain.deadlines import due_at
from cronq.domain.overlap import OpenRun, overdue, to_let_go
from cronq.domain.rules import Rules, decode_rules
from cronq.domain.runs import Status

#: A run of a runner that tells nothing of itself, as those of 0.27, counts no longer than this.
FORGOTTEN_AFTER = timedelta(days=1)
#: So many that wait are looked through for their jobs at a time.
MOST_WAITING = 5_000

_QUEUED, _RUNNING = Status.QUEUED.value, Status.RUNNING.value
_WAITS = (runs.c.status == _QUEUED) & runs.c.publish_after.is_(None)


def open_runs(
    connection: Connection, job_ids: Collection[int], now: datetime, *, running_only: bool = False
) -> dict[int, list[OpenRun]]:
    """The runs of these jobs that have not ended, by job and in the order in which they were made.

    Their jobs have to be locked. A run that was lost is not among them, whatever its command does.
    """
    found: dict[int, list[OpenRun]] = defaultdict(list)
    for some in chunks(sorted(job_ids)):
        for row in connection.execute(_open(some, now, running_only=running_only)):
            found[row.job_id].append(_open_run(row, now))
    return found


def release(connection: Connection, rules: Mapping[int, Rules | None], now: datetime) -> None:
    """Let go what may of the runs of these jobs that wait. The jobs are locked; None: one without rules.

    Those for which it is too late are missed first.
    """
    waiting = {
        job_id
        for some in chunks(sorted(rules))
        for job_id in connection.scalars(select(runs.c.job_id).where(_WAITS, _of(some)).distinct())
    }
    late: dict[str, str] = {}
    released: list[str] = []
    for job_id, found in (open_runs(connection, waiting, now) if waiting else {}).items():
        rule = rules[job_id]
        late |= overdue(rule, found, now) if rule is not None else {}
        released += to_let_go(rule, [run for run in found if run.run_id not in late])
    miss(connection, late, now)
    for some in chunks(sorted(released)):
        # It begins anew: no runner has failed to ask for it.
        go = {"publish_after": now, "not_before": now, "reason": None, "publications": 0}
        connection.execute(update(runs).where(runs.c.run_id.in_(some), _WAITS).values(go))


def miss(connection: Connection, late: Mapping[str, str], now: datetime) -> None:
    """End queued runs for which it is too late, each with its reason. Their jobs are locked."""
    by_reason = defaultdict(list)
    for run_id, reason in sorted(late.items()):
        by_reason[reason].append(run_id)
    for reason, run_ids in by_reason.items():
        for some in chunks(run_ids):
            queued = runs.c.run_id.in_(some), runs.c.status == _QUEUED
            connection.execute(update(runs).where(*queued).values(missed(reason, now)))


def release_all(connection: Connection) -> None:
    """Look at all that waits: whoever was to let it go may have been killed, or the rules be others now."""
    waiting = select(runs.c.job_id).where(_WAITS).order_by(runs.c.id).limit(MOST_WAITING)
    job_ids = sorted(set(connection.scalars(waiting)))
    for some in chunks(job_ids):
        query = select(jobs.c.id, jobs.c.rules, jobs.c.removed_at).where(jobs.c.id.in_(some))
        found = connection.execute(query.order_by(jobs.c.id).with_for_update()).all()
        # What waits for a job that is gone is published, and that says what becomes of it.
        rules: dict[int, Rules | None] = dict.fromkeys(some)
        rules |= {row.id: decode_rules(row.rules) for row in found if row.removed_at is None}
        release(connection, rules, database_now(connection))


def _open(job_ids: Sequence[int], now: datetime, *, running_only: bool) -> Select[Any]:
    query = select(
        runs.c.run_id,
        runs.c.job_id,
        runs.c.status,
        runs.c.slot,
        runs.c.publish_after,
        runs.c.not_before,
        runs.c.runner,
        runs.c.host,
        runs.c.cause,
        runs.c.attempt,
        runs.c.queued_at,
    ).where(_of(job_ids), runs.c.status.in_([_RUNNING] if running_only else [_QUEUED, _RUNNING]))
    known = runs.c.runner.is_not(None) | (runs.c.started_at > now - FORGOTTEN_AFTER)
    return query.where(known | (runs.c.status == _QUEUED)).order_by(runs.c.id)


def _of(job_ids: Sequence[int]) -> ColumnElement[bool]:
    """Not by the index over job ids, as all runs that a job ever had may be many; what is open is little."""
    return (runs.c.job_id + 0).in_(job_ids)


def _open_run(row: Any, now: datetime) -> OpenRun:
    queued = row.status == _QUEUED
    return OpenRun(
        run_id=row.run_id,
        status=Status(row.status),
        slot=row.slot,
        waits=queued and row.publish_after is None,
        early=queued and row.not_before is not None and row.not_before > now,
        runner=row.runner,
        host=row.host,
        cause=row.cause,
        due=due_at(row.slot, row.attempt, row.cause, row.queued_at),
    )
