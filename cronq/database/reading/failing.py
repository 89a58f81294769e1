"""Jobs that fail: since when, how often, how it ends, and whether somebody knows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cronq.database.gateway import now as database_now
from cronq.database.output_tables import outputs
from cronq.database.reading.acknowledgements import Acknowledgement, acknowledged
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.runs import RunRecord
from cronq.database.reading.streaks import Streak, find_streaks
from cronq.database.tables import jobs, runs
from cronq.domain.outputs import Output, decode_output
from cronq.domain.runs import Status

MOST_JOBS = 50
#: Of the output of the latest failure; lines and characters.
LAST_LINES, LAST_CHARACTERS = 3, 400
#: What the row of a job does not tell of: the command was not even started, or nobody knows how it ended.
_NOT_ENDED = (Status.LOST, Status.MISSED, Status.UNROUTABLE)
#: So many of the latest runs of each of these are looked at.
_MOST_NOT_ENDED = 200


@dataclass(frozen=True, slots=True)
class FailingJob:
    """A job that has not succeeded since something went wrong with it."""

    job: JobRecord
    streak: Streak
    acknowledged: Acknowledgement | None = None
    #: Of its output.
    last_words: str = ""

    @property
    def latest(self) -> RunRecord:
        """The latest of its runs that came to no good end."""
        return self.streak.latest


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
    streaks = find_streaks(connection, [job.id for job in found.values() if job.removed_at is None])
    known = acknowledged(connection, streaks)
    latest = sorted(
        streaks, key=lambda job_id: streaks[job_id].latest.completed_at or datetime.min, reverse=True
    )
    shown = sorted(latest, key=lambda job_id: job_id in known)[:MOST_JOBS]
    words = _last_words(connection, [streaks[job_id].latest.run_id for job_id in shown])
    return FailingView(
        database_now(connection),
        tuple(
            FailingJob(found[job_id], streak, known.get(job_id), words.get(streak.latest.run_id, ""))
            for job_id in shown
            for streak in [streaks[job_id]]
        ),
        len(streaks) > MOST_JOBS or len(ids) > 2 * MOST_JOBS,
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


def _last_words(connection: Connection, run_ids: Collection[str]) -> Mapping[str, str]:
    columns = outputs.c.run_id, outputs.c.size, outputs.c.kept
    query = select(*columns).where(outputs.c.run_id.in_(sorted(run_ids)))
    return {row.run_id: last_words(decode_output(row.size, row.kept)) for row in connection.execute(query)}


def last_words(output: Output) -> str:
    """The last lines of an output."""
    text = "".join(piece.text for piece in output.tail or output.head).rstrip()
    lines = "\n".join(text.split("\n")[-LAST_LINES:])
    return lines if len(lines) <= LAST_CHARACTERS else f"…{lines[-LAST_CHARACTERS:]}"
