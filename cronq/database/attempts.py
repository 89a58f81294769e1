"""Attempts after the first: made when one is lost, and started when nothing of it can be running any more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from cronq.database.bulk import chunks, insert_new
from cronq.database.outbox import pause_after
from cronq.database.tables import definitions, runners, runs
from cronq.domain.heartbeats import ALIVE, RunnerStatus
from cronq.domain.reports import RunState
from cronq.domain.rules import OnLost, decode_rules
from cronq.domain.runs import Status, new_run_ids

#: So many attempts of one slot may be lost; a command that takes its runners down must not go on for ever.
MOST = 5
#: Until a start that is not allowed yet is asked for again.
POSTPONED_FOR = timedelta(seconds=10)

_LOST = [
    runs.c.run_id, runs.c.job_id, runs.c.definition_id, runs.c.slot, runs.c.attempt, runs.c.request,
    definitions.c.rules,
]  # fmt: skip
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
_KNOWN = select(runners.c.id).where(runners.c.id.in_(bindparam("askers", expanding=True)))


def try_again(connection: Connection, lost: Sequence[RunState], now: datetime) -> list[RunState]:
    """Queue another attempt for each of these runs whose job asks for it; gives those runs, changed."""
    states = {run.run_id: run for run in lost}
    query = select(*_LOST).join(definitions, definitions.c.id == runs.c.definition_id)
    found = [
        row
        for some in chunks(sorted(states))
        for row in connection.execute(query.where(runs.c.run_id.in_(some)))
        if decode_rules(row.rules).on_lost is OnLost.RERUN
    ]
    again = [row for row in found if row.attempt < MOST]
    rows = [
        {
            "run_id": run_id,
            "job_id": row.job_id,
            "definition_id": row.definition_id,
            "slot": row.slot,
            "request": row.request,
            "attempt": row.attempt + 1,
            "status": Status.QUEUED.value,
            "queued_at": now,
            "publish_after": now if row.attempt == 1 else now + pause_after(row.attempt - 1),
            "previous_run_id": row.run_id,
        }
        for row, run_id in zip(again, new_run_ids(now, len(again)), strict=True)
    ]
    insert_new(connection, runs, rows)
    given_up = {row.run_id for row in found} - {row.run_id for row in again}
    return [replace(states[row.run_id], superseded=True) for row in again] + [
        replace(
            states[run_id], reason=f"{states[run_id].reason}; this was attempt {MOST}, and there is no more"
        )
        for run_id in sorted(given_up)
    ]


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


def postpone(connection: Connection, run_ids: Collection[str], now: datetime) -> None:
    """Publish these again in a while, as their messages are used up."""
    if run_ids:
        waiting = runs.c.run_id.in_(sorted(run_ids)) & (runs.c.status == Status.QUEUED.value)
        connection.execute(update(runs).where(waiting).values(publish_after=now + POSTPONED_FOR))
