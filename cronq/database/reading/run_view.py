"""A run and all that is known about it, read in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cronq.database.gateway import now as database_now
from cronq.database.reading.attempts import find_attempts
from cronq.database.reading.history import find_run
from cronq.database.reading.records import JobRecord, find_job
from cronq.database.reading.runners import is_runner
from cronq.database.reading.runs import (
    EventRecord,
    KillRecord,
    Made,
    RunRecord,
    find_events,
    find_kill,
    find_made,
    find_output,
)
from cronq.domain.outputs import Output
from cronq.domain.runs import Status


@dataclass(frozen=True, slots=True)
class RunView:
    """The page of a run."""

    now: datetime
    run: RunRecord
    #: None when 0.27 has removed it.
    job: JobRecord | None
    #: None for a run that no injector of this version has made.
    made: Made | None
    #: What its runner is told, while it is to be killed.
    kill: KillRecord | None
    #: None when there was none, or none is kept.
    output: Output | None
    events: tuple[EventRecord, ...]
    #: All at the same slot, or of the same run by hand, in order; the run is one of them.
    attempts: tuple[RunRecord, ...]
    #: Whether its runner is still in the table of runners.
    runner_is_known: bool


def read_run(connection: Connection, run_id: str) -> RunView | None:
    """A run and all that is known about it."""
    run = find_run(connection, run_id)
    if run is None:
        return None
    return RunView(
        database_now(connection),
        run,
        None if run.job_id is None else find_job(connection, run.job_id),
        find_made(connection, run.definition_id),
        find_kill(connection, run_id) if run.status is Status.RUNNING else None,
        find_output(connection, run_id),
        find_events(connection, [run_id]).get(run_id, ()),
        find_attempts(connection, run),
        run.runner is not None and is_runner(connection, run.runner),
    )
