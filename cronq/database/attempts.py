"""Attempts after the first: made when one came to no good end, started when nothing of it can be running."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from twisted.logger import Logger

from cronq.database.backfilling import called_off
from cronq.database.bulk import chunks, insert_new
from cronq.database.faults import OF_NO_VALUE
from cronq.database.tables import definitions, runners, runs
from cronq.domain.backfilling import CALLED_OFF
from cronq.domain.heartbeats import ALIVE, RunnerStatus
from cronq.domain.reports import RunState
from cronq.domain.retrying import attempts_allowed, delay_after, no_more, why_again
from cronq.domain.rules import Rules, decode_rules
from cronq.domain.runs import Cause, Status, new_run_ids
from cronq.domain.saturating import shifted

log = Logger()

#: Until a start that is not allowed yet is asked for again.
POSTPONED_FOR = timedelta(seconds=10)

_before = runs.alias("before")
_former, _there = runners.alias("former"), runners.alias("there")
#: Made once, as every batch of requests asks this, and aliases of whole tables take their time.
_AFTER_ABANDONED = (
    select(runs.c.run_id, _former.c.host)
    .join(_before, _before.c.run_id == runs.c.previous_run_id)
    .join(_former, _former.c.id == _before.c.runner)
    .where(_before.c.abandoned, _former.c.status != RunnerStatus.STOPPED.value)
    .where(runs.c.run_id.in_(bindparam("run_ids", expanding=True)))
)
_HOST_IS_BACK = _AFTER_ABANDONED.join(_there, _there.c.home == _former.c.home).where(
    _there.c.status.in_(ALIVE) | _there.c.id.in_(bindparam("askers", expanding=True))
)
_MADE_WITH_RULES = (
    select(runs.c.run_id, runs.c.definition_id, runs.c.backfill_id, runs.c.request, definitions.c.rules)
    .join(definitions, definitions.c.id == runs.c.definition_id)
    .where(runs.c.run_id.in_(bindparam("run_ids", expanding=True)), definitions.c.rules.is_not(None))
    .order_by(runs.c.run_id)
)
_KNOWN = select(runners.c.id).where(runners.c.id.in_(bindparam("askers", expanding=True)))


def try_again(connection: Connection, ended: Sequence[RunState], now: datetime) -> list[RunState]:
    """Queue another attempt for each of these runs whose job asked for it when the run was made, unless its
    backfill was called off since; gives those runs, changed. One at which that fails has no other attempt,
    and says so.
    """
    states = {run.run_id: run for run in ended}
    found = [
        (states[row.run_id], row)
        for some in chunks(sorted(states))
        for row in connection.execute(_MADE_WITH_RULES, {"run_ids": some})
    ]
    stopped = called_off(connection, [run.run_id for run, row in found if row.backfill_id is not None])
    changed: list[RunState] = []
    rows: list[dict[str, Any]] = []
    for run, row in found:
        try:
            after, new = _followed_up(connection, run, row, now, stopped=run.run_id in stopped)
        except OF_NO_VALUE:
            raise
        except Exception as error:
            log.failure(
                "run {run_id} of job {job_id}: there is no other attempt, as to make it failed",
                run_id=run.run_id,
                job_id=run.job_id,
            )
            reason = f"there is no other attempt, as to make it failed: {error!r}"
            after, new = [replace(run, reason=reason[:1000])], []
        changed += after
        rows += new
    for new_row, run_id in zip(rows, new_run_ids(now, len(rows)), strict=True):
        new_row["run_id"] = run_id
    insert_new(connection, runs, rows)
    return changed


def _followed_up(
    connection: Connection, run: RunState, row: Any, now: datetime, *, stopped: bool
) -> tuple[list[RunState], list[dict[str, Any]]]:
    """The run, changed, if its job asked for attempts, and the row of the next one, if there is one."""
    rules = decode_rules(row.rules)
    if attempts_allowed(rules, run.status) <= 1:
        return [], []
    before = _not_run(connection, run)
    if run.attempt - before >= attempts_allowed(rules, run.status):
        return [replace(run, reason=no_more(run))], []
    if stopped:
        return [replace(run, reason=no_more(run, CALLED_OFF))], []
    return [replace(run, superseded=True)], [_attempt(run, row, rules, before, now)]


def _not_run(connection: Connection, run: RunState) -> int:
    """How many attempts there were that nobody has tried: a slot that was missed counts for none."""
    if run.cause != Cause.BACKFILL or run.attempt == 1:
        return 0
    mine = runs.c.job_id == run.job_id, runs.c.slot == run.slot, runs.c.attempt <= run.attempt
    made = select(func.max(runs.c.attempt)).where(*mine, runs.c.previous_run_id.is_(None))
    return int(connection.scalar(made) or 1) - 1


def _attempt(run: RunState, row: Any, rules: Rules, before: int, now: datetime) -> dict[str, Any]:
    delay = delay_after(rules, run.status, run.attempt - before)
    at = shifted(now, delay) if delay else None
    return {
        "job_id": run.job_id,
        "definition_id": row.definition_id,
        "backfill_id": row.backfill_id,
        "request": row.request,
        "slot": run.slot,
        "cause": run.cause,
        "attempt": run.attempt + 1,
        "status": Status.QUEUED.value,
        "reason": why_again(run, attempts_allowed(rules, run.status) + before, at),
        "queued_at": now,
        "not_before": at,
        "publish_after": at or now,
        "previous_run_id": run.run_id,
    }


def blocked(connection: Connection, asked: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Which of these attempts must not start yet, each with the host that is to blame. Each run id comes with
    the runners that ask.

    The attempt before was given up while its command may still be running, and its host is back: a runner of
    the same home is alive, or asks, or somebody asks of whose home nothing has been heard yet. Whoever is
    there now ends it, and says so; or he says that the runner of that attempt has ended, which he does when
    nothing of it runs any more.
    """
    askers = sorted({asker for of_one in asked.values() for asker in of_one})
    unknown = {
        asker
        for some in chunks(askers)
        for asker in set(some) - set(connection.scalars(_KNOWN, {"askers": some}))
    }
    by_unknown = [run_id for run_id, of_one in sorted(asked.items()) if unknown.intersection(of_one)]
    found = [
        row
        for some in chunks(sorted(asked))
        for row in connection.execute(_HOST_IS_BACK, {"askers": askers, "run_ids": some})
    ] + [
        row for some in chunks(by_unknown) for row in connection.execute(_AFTER_ABANDONED, {"run_ids": some})
    ]
    return {row.run_id: row.host for row in found}


def postpone(connection: Connection, reasons: Mapping[str, str], now: datetime) -> None:
    """Publish these again in a while, as their messages are used up; till then each says why it waits."""
    for reason in sorted(set(reasons.values())):
        mine = runs.c.run_id.in_(sorted(run_id for run_id, each in reasons.items() if each == reason))
        waiting = {"publish_after": now + POSTPONED_FOR, "reason": f"it waits, as {reason}"[:1000]}
        connection.execute(update(runs).where(mine, runs.c.status == Status.QUEUED.value).values(waiting))
