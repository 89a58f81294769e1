"""What the API says of runners."""

from datetime import datetime
from typing import Any

from cronq.database.reading.records import JobRecord
from cronq.database.reading.runners import RunnerRecord, RunnersView
from cronq.database.reading.runs import RunRecord

Shape = dict[str, Any]


def runner_shape(view: RunnersView, runner: RunnerRecord) -> Shape:
    """A runner with the runs that it has in hand."""
    return {
        "id": runner.id,
        "host": runner.host,
        "version": runner.version,
        "status": runner.status,
        "queue": runner.queue,
        "routing_keys": list(runner.routing_keys),
        "concurrency": runner.concurrency,
        "busy": runner.busy,
        "runs": [_held_shape(run, view.jobs.get(run.job_id or 0)) for run in view.runs[runner.id]],
        "clock_ahead": runner.clock_ahead,
        "first_heard": _time(runner.first_heard),
        "last_heard": _time(runner.last_heard),
        "silent_for": view.silent_for(runner).total_seconds(),
        "drain_ordered_at": _time(runner.drain_ordered_at),
    }


def _held_shape(run: RunRecord, job: JobRecord | None) -> Shape:
    return {
        "id": run.run_id,
        "job_id": run.job_id,
        "category": job and job.category and job.category.name,
        "name": job and job.name,
        "slot": run.slot and run.slot.isoformat(),
        "attempt": run.attempt,
        "started_at": _time(run.started_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
