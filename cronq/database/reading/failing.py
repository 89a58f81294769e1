"""Jobs that fail: since when, how often, how it ends, and whether somebody knows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection, Row, select

from cronq.database.acknowledgement_tables import acknowledgements
from cronq.database.gateway import now as database_now
from cronq.database.output_tables import outputs
from cronq.database.reading.history import TROUBLE, runs_of_job
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.tables import jobs, runs
from cronq.domain.outputs import Output, decode_output
from cronq.domain.runs import Status

MOST_JOBS = 50
#: So far back it is looked how long a job has been failing; runs.
MOST_RUNS = 100
#: Most jobs that fail have succeeded not so many runs ago, or have not succeeded for long.
_FEW = 10
_TROUBLE = frozenset(status.value for status in TROUBLE)
#: Of the output of the latest failure; lines and characters.
LAST_LINES, LAST_CHARACTERS = 3, 400
#: What the row of a job does not tell of: the command was not even started, or nobody knows how it ended.
_NOT_ENDED = (Status.LOST, Status.MISSED, Status.UNROUTABLE)
#: So many of the latest runs of each of these are looked at.
_MOST_NOT_ENDED = 200
#: An acknowledgement holds for so many more runs at most.
_MOST_ACKNOWLEDGED = 10_000


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows."""

    who: str | None
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FailingJob:
    """A job that has not succeeded since something went wrong with it."""

    job: JobRecord
    #: The latest of its runs that came to no good end, and the first one since it succeeded.
    latest: RunRecord
    first: RunRecord
    #: How many there are from the one to the other.
    count: int
    #: Whether there may be more, before the first.
    more: bool
    acknowledged: Acknowledgement | None = None
    #: Of its output.
    last_words: str = ""


@dataclass(frozen=True, slots=True)
class FailingView:
    """All that fails, what nobody has acknowledged first, and then by what failed latest."""

    now: datetime
    jobs: tuple[FailingJob, ...]
    #: Whether there are so many that not all are here.
    more: bool


def read_failing(connection: Connection) -> FailingView:
    """The jobs that fail by now."""
    ids = _candidates(connection)
    found = find_jobs(connection, ids[: 2 * MOST_JOBS])
    failing = [each for job in found.values() if (each := find_failing(connection, job)) is not None]
    known = acknowledged(connection, [each.job.id for each in failing])
    words = _last_words(connection, [each.latest.run_id for each in failing])
    complete = [
        replace(each, acknowledged=known.get(each.job.id), last_words=words.get(each.latest.run_id, ""))
        for each in failing
    ]
    complete.sort(key=lambda each: each.latest.completed_at or datetime.min, reverse=True)
    complete.sort(key=lambda each: each.acknowledged is not None)
    return FailingView(
        database_now(connection),
        tuple(complete[:MOST_JOBS]),
        len(complete) > MOST_JOBS or len(ids) > 2 * MOST_JOBS,
    )


def _candidates(connection: Connection) -> list[int]:
    """Jobs of which something went wrong, the latest first; some of them may be well again."""
    failed = (
        select(jobs.c.id)
        .where(jobs.c.last_run_status == Status.FAILED.value, jobs.c.removed_at.is_(None))
        .order_by(jobs.c.last_run_stop.desc(), jobs.c.id)
        .limit(2 * MOST_JOBS + 1)
    )
    ids = list(connection.scalars(failed))
    for status in _NOT_ENDED:
        latest = (
            select(runs.c.job_id)
            .where(runs.c.status == status.value, runs.c.publish_after.is_(None))
            .order_by(runs.c.id.desc())
            .limit(_MOST_NOT_ENDED)
        )
        ids += connection.scalars(latest)
    return list(dict.fromkeys(ids))


def find_failing(connection: Connection, job: JobRecord) -> FailingJob | None:
    """What goes wrong with a job, without what people have said of it; None when it is well, or removed."""
    if job.removed_at is not None:
        return None
    for most in (_FEW, MOST_RUNS):
        rows = _latest(connection, job.id, most)
        decided = [row for row in rows if row.status in _TROUBLE or row.status == Status.SUCCEEDED.value]
        streak = list(takewhile(lambda row: row.status in _TROUBLE, decided))
        if len(streak) < len(decided):
            break
        if len(rows) < most:
            return _failing_for_long(connection, job)
    if not streak:
        return None
    wanted = select_runs().where(runs.c.id.in_([streak[0].id, streak[-1].id])).order_by(runs.c.id)
    found = ledger_records(connection, wanted)
    return FailingJob(job, found[-1], found[0], len(streak), more=len(streak) == len(decided))


def _latest(connection: Connection, job_id: int, most: int) -> Sequence[Row[int, str]]:
    mine = select(runs.c.id, runs.c.status).where(runs.c.job_id == job_id)
    return connection.execute(mine.order_by(runs.c.id.desc()).limit(most)).all()


def _failing_for_long(connection: Connection, job: JobRecord) -> FailingJob | None:
    """The same of a job that has not succeeded since the ledger began: what 0.27 left may tell more."""
    page = runs_of_job(connection, job.id, MOST_RUNS)
    decided = [run for run in page.runs if run.status in TROUBLE or run.status is Status.SUCCEEDED]
    streak = list(takewhile(lambda run: run.status in TROUBLE, decided))
    if not streak:
        return None
    more = len(streak) == len(decided) and page.older is not None
    return FailingJob(job, streak[0], streak[-1], len(streak), more)


def acknowledged(connection: Connection, job_ids: Collection[int]) -> Mapping[int, Acknowledgement]:
    """What people have said of these jobs, as far as it still holds."""
    query = select(acknowledgements).where(acknowledgements.c.job_id.in_(sorted(job_ids)))
    return {
        row.job_id: Acknowledgement(row.who, row.note, row.at)
        for row in connection.execute(query)
        if _holds(connection, row.job_id, row.run_row)
    }


def _holds(connection: Connection, job_id: int, run_row: int) -> bool:
    """Whether no run has succeeded since; after very many failures somebody should look again."""
    since = select(runs.c.status).where(runs.c.job_id == job_id, runs.c.id > run_row)
    statuses = list(connection.scalars(since.order_by(runs.c.id).limit(_MOST_ACKNOWLEDGED)))
    return Status.SUCCEEDED.value not in statuses and len(statuses) < _MOST_ACKNOWLEDGED


def _last_words(connection: Connection, run_ids: Collection[str]) -> Mapping[str, str]:
    columns = outputs.c.run_id, outputs.c.size, outputs.c.kept
    query = select(*columns).where(outputs.c.run_id.in_(sorted(run_ids)))
    return {row.run_id: last_words(decode_output(row.size, row.kept)) for row in connection.execute(query)}


def last_words(output: Output) -> str:
    """The last lines of an output."""
    text = "".join(piece.text for piece in output.tail or output.head).rstrip()
    lines = "\n".join(text.split("\n")[-LAST_LINES:])
    return lines if len(lines) <= LAST_CHARACTERS else f"…{lines[-LAST_CHARACTERS:]}"
