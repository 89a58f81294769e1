"""Rows of the ledger, new and changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cronq.database.stored import StoredJob
from cronq.domain.reports import RunState
from cronq.domain.runs import Status
from cronq.domain.summaries import JobSummary

#: What may change of a run besides its status, and how many characters there is room for.
_CHANGING: dict[str, int | None] = {
    "reason": 1000,
    "token": None,
    "runner": 64,
    "host": 255,
    "granted_at": None,
    "started_at": None,
    "ended_at": None,
    "recorded_at": None,
    "return_code": None,
    "run_time": None,
    "superseded": None,
    "abandoned": None,
}


class MovedRun(NamedTuple):
    """What has become of a run."""

    #: Of its row.
    id: int
    before: RunState
    run: RunState
    publish_after: datetime | None


def new_row(job: StoredJob, now: datetime) -> dict[str, Any]:
    """What each has; every row has the same keys, so that all of them go into one statement."""
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


def queued_row(
    job: StoredJob, slot: datetime | None, now: datetime, publish_after: datetime
) -> dict[str, Any]:
    """One that is to run: of a slot or, without one, by hand."""
    return new_row(job, now) | {"status": Status.QUEUED.value, "slot": slot, "publish_after": publish_after}


def skipped(reason: str | None, now: datetime) -> dict[str, Any]:
    """What becomes of a row that does not run, by a rule."""
    return {"status": Status.SKIPPED.value, "reason": reason, "publish_after": None, "recorded_at": now}


def missed(reason: str, now: datetime) -> dict[str, Any]:
    """What becomes of a queued row for which it is too late."""
    return skipped(reason, now) | {"status": Status.MISSED.value, "ended_at": now}


def moved_rows(moved: Sequence[MovedRun]) -> list[dict[str, Any]]:
    """Rows for an update of runs by id, without the columns that are as they were in all of them."""
    changed = {
        name: room
        for name, room in _CHANGING.items()
        if any(getattr(each.before, name) != getattr(each.run, name) for each in moved)
    }
    return [
        {
            "id": row_id,
            "run_id": run.run_id,
            "job_id": run.job_id,
            "status": run.status.value,
            "publish_after": publish_after,
        }
        | {name: _cut(getattr(run, name), room) for name, room in changed.items()}
        for row_id, _, run, publish_after in moved
    ]


def summary_row(job_id: int, summary: JobSummary) -> dict[str, Any]:
    """A row for an update of jobs by id."""
    return {
        "id": job_id,
        "last_run_start": summary.last_run_start,
        "last_run_stop": summary.last_run_stop,
        "last_run_status": summary.last_run_status,
        "current_status": summary.current_status,
    }


def _cut(value: Any, room: int | None) -> Any:
    return value[:room] if room is not None and value is not None else value
