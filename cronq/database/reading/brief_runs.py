"""The latest runs of many jobs at once, and of each only what a list of jobs shows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, false, func, or_, select

from cronq.database.tables import jobs, runs
from cronq.domain import kills
from cronq.domain.runs import TROUBLE, Status


@dataclass(frozen=True, slots=True)
class Bar:
    """A run as one of many."""

    id: int
    status: Status
    #: Seconds that its command took; None as long as it has not ended, or when nobody knows.
    took: float | None
    #: Whether it came to an end that somebody should look at.
    in_trouble: bool = False


@dataclass(frozen=True, slots=True)
class BriefRun:
    """A run that a list leads to."""

    run_id: str
    status: Status
    took: float | None
    #: When it ended or, as long as it has not, began; UTC.
    at: datetime | None


#: Whether a run was killed as somebody, or a rule of its job, wanted it.
WANTED = and_(
    runs.c.status == Status.KILLED.value,
    func.coalesce(or_(*(runs.c.reason.startswith(each) for each in kills.WANTED)), false()),
)
# Rows are dear: each costs a client of MariaDB fifty microseconds. So the runs of a job come in one text.
_BAR = (
    cast(runs.c.id, String(20))
    + " "
    + runs.c.status
    + " "
    + func.coalesce(cast(func.round(runs.c.run_time * 1000), String(20)), "")
    + case((WANTED, " wanted"), else_=" ")
)
_AT = func.coalesce(runs.c.ended_at, runs.c.recorded_at, runs.c.started_at, runs.c.queued_at)


def latest_bars(
    connection: Connection, job_ids: Collection[int], count: int
) -> Mapping[int, tuple[Bar, ...]]:
    """At most `count` runs of each of these jobs that the ledger knows, the latest first, by the job's id."""
    if not job_ids:
        return {}
    query = select(runs.c.job_id, func.aggregate_strings(_BAR, ","))
    query = query.where(among_latest(connection, job_ids, count)).group_by(runs.c.job_id)
    return {job_id: tuple(_bars(text)) for job_id, text in connection.execute(query)}


def find_brief_runs(connection: Connection, ids: Iterable[int]) -> Mapping[int, BriefRun]:
    """The runs of these rows, by the id of the row."""
    columns = runs.c.id, runs.c.run_id, runs.c.status, runs.c.run_time, _AT
    rows = connection.execute(select(*columns).where(runs.c.id.in_(sorted(ids))))
    return {row_id: BriefRun(run_id, Status(status), *rest) for row_id, run_id, status, *rest in rows}


def among_latest(connection: Connection, job_ids: Collection[int], count: int) -> ColumnElement[bool]:
    """Whether a row of the ledger is among the latest `count` of one of these jobs.

    Two dives into the index for each job, in two statements for all: a window function would walk over all
    runs that the jobs ever had.
    """
    last = select(runs.c.id).where(runs.c.job_id == jobs.c.id).order_by(runs.c.id.desc())
    for server in ("mysql", "mariadb"):
        # Else MariaDB takes the index over slots, and puts all runs that a job ever had in order.
        last = last.with_hint(runs, "FORCE INDEX (ix_runs_job_id)", server)
    bound = last.offset(count - 1).limit(1).scalar_subquery()
    bounds = connection.execute(select(jobs.c.id, bound).where(jobs.c.id.in_(sorted(job_ids))))
    latest = [and_(runs.c.job_id == job_id, runs.c.id >= (lowest or 0)) for job_id, lowest in bounds]
    return or_(*latest) if latest else false()


def _bars(text: str) -> Iterator[Bar]:
    pieces = (piece.split(" ") for piece in text.split(","))
    for row_id, status, took, wanted in sorted(pieces, key=lambda piece: -int(piece[0])):
        known = _STATUSES[status]
        yield Bar(int(row_id), known, float(took) / 1000 if took else None, known in TROUBLE and not wanted)


_STATUSES = {status.value: status for status in Status}
