"""Attempts after the first: made when one came to no good end, started when nothing of it can be running."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from cronq.database.bulk import chunks, insert_new
from cronq.database.tables import runners, runs
from cronq.domain.heartbeats import ALIVE
from cronq.domain.reports import RunState
from cronq.domain.retrying import attempts_allowed, delay_after, no_more, why_again
from cronq.domain.rules import Rules
from cronq.domain.runs import Status, new_run_ids

#: Until a start that is not allowed yet is asked for again.
POSTPONED_FOR = timedelta(seconds=10)


def try_again(
    connection: Connection, ended: Sequence[RunState], rules: Mapping[int, Rules], now: datetime
) -> list[RunState]:
    """Queue another attempt for each of these runs whose job asks for it; gives those runs, changed.

    `rules` are those of the jobs, by id; a job that is not there asks for nothing.
    """
    asked = {run.run_id: run for run in ended if _allowed(run, rules) > 1}
    query = select(runs.c.run_id, runs.c.definition_id)
    found = [
        row
        for some in chunks(sorted(asked))
        for row in connection.execute(query.where(runs.c.run_id.in_(some)))
    ]
    changed, rows = [], []
    for row, new_id in zip(found, new_run_ids(now, len(found)), strict=True):
        run = asked[row.run_id]
        if run.attempt < _allowed(run, rules):
            changed.append(replace(run, superseded=True))
            rows.append({"run_id": new_id} | _attempt(run, row.definition_id, rules[run.job_id], now))
        else:
            changed.append(replace(run, reason=no_more(run)))
    insert_new(connection, runs, rows)
    return changed


def _allowed(run: RunState, rules: Mapping[int, Rules]) -> int:
    return attempts_allowed(rules[run.job_id], run.status) if run.job_id in rules else 1


def _attempt(run: RunState, definition_id: int | None, rules: Rules, now: datetime) -> dict[str, Any]:
    delay = delay_after(rules, run.status, run.attempt)
    at = now + delay if delay else None
    return {
        "job_id": run.job_id,
        "definition_id": definition_id,
        "slot": run.slot,
        "attempt": run.attempt + 1,
        "status": Status.QUEUED.value,
        "reason": why_again(run, attempts_allowed(rules, run.status), at),
        "queued_at": now,
        "not_before": at,
        "publish_after": at or now,
        "previous_run_id": run.run_id,
    }


def blocked(connection: Connection, run_ids: Collection[str], asking: Collection[str]) -> dict[str, str]:
    """Which of these attempts must not start yet, each with the host that is to blame.

    The attempt before was given up while its command may still be running, and its host is back: a runner of
    the same home is alive, or is among those that are `asking`. Whoever is there now ends it, and says so.
    """
    before = runs.alias("before")
    former, there = runners.alias("former"), runners.alias("there")
    query = (
        select(runs.c.run_id, former.c.host)
        .join(before, before.c.run_id == runs.c.previous_run_id)
        .join(former, former.c.id == before.c.runner)
        .join(there, there.c.home == former.c.home)
        .where(before.c.abandoned, there.c.status.in_(ALIVE) | there.c.id.in_(sorted(asking)))
    )
    return {
        run_id: host
        for some in chunks(sorted(run_ids))
        for run_id, host in connection.execute(query.where(runs.c.run_id.in_(some)))
    }


def postpone(connection: Connection, reasons: Mapping[str, str], now: datetime) -> None:
    """Publish these again in a while, as their messages are used up; till then each says why it waits."""
    for reason in sorted(set(reasons.values())):
        mine = runs.c.run_id.in_(sorted(run_id for run_id, each in reasons.items() if each == reason))
        waiting = {"publish_after": now + POSTPONED_FOR, "reason": f"it waits, as {reason}"[:1000]}
        connection.execute(update(runs).where(mine, runs.c.status == Status.QUEUED.value).values(waiting))
