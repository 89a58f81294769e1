"""Keeping up how long jobs usually take: of the jobs that have run, and of each no more often than it helps.

Who has run is read off the end of `events`, by the primary key, so `runs` needs no index for it. The work is
found and done by reading; what is written is one conditional step of a mark and a few rows.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, insert, or_, select, update

from cronq.database.bulk import chunks
from cronq.database.gateway import now as database_now
from cronq.database.kept import keep_first
from cronq.database.tables import events, runs, settings
from cronq.database.usual_tables import usual_durations
from cronq.domain.messages import Report
from cronq.domain.runs import Status
from cronq.domain.usual import MOST_RUNS, UsualDuration, usual_duration

#: Events that one pass looks at.
WINDOW = 1000
#: Of these, so many are looked at again: some that stand before may have been committed after them.
OVERLAP = 200
#: Runs of a job that are looked at, be they good or not.
LOOKED_AT = 100
#: A job with enough runs behind it is not computed again before.
GOOD_FOR = timedelta(hours=1)
#: From the time that stands in a row to its commit it takes less.
LONGEST_COMMIT = timedelta(seconds=10)

MARK = "usual_until_event"
_MARK = settings.c.name == MARK
_LATEST = (
    select(runs.c.status, runs.c.run_time)
    .where(runs.c.job_id == bindparam("job"))
    .order_by(runs.c.id.desc())
    .limit(LOOKED_AT)
    .subquery()
)
_GOOD = select(_LATEST.c.run_time).where(
    _LATEST.c.status == Status.SUCCEEDED.value, _LATEST.c.run_time.is_not(None)
)


@dataclass(frozen=True, slots=True)
class UsualPass:
    """What one pass has found out."""

    #: The last event that the passes before have looked at, as it is stored; None: this is the first.
    mark: str | None
    #: The last one that this pass has looked at.
    reached: int
    #: Whether there may be more after it.
    more: bool
    computed_at: datetime
    #: By the job's id.
    found: dict[int, UsualDuration]

    @property
    def idle(self) -> bool:
        """Whether it leaves all as it was."""
        return not self.found and self.mark == str(self.reached)


def compute_usual(connection: Connection) -> UsualPass | None:
    """Look at the next events, and compute anew what has changed by them; None when there are no events."""
    mark = connection.scalar(select(settings.c.value).where(_MARK))
    newest = connection.scalar(select(func.max(events.c.id)))
    if newest is None:
        return None
    now = database_now(connection)
    # On SQLite an id may come again, once the events from there on have been pruned.
    after = min(int(mark or 0), newest) - OVERLAP
    window = select(events.c.id).where(events.c.id > after).order_by(events.c.id)
    until = connection.scalar(window.offset(WINDOW - 1).limit(1)) or newest
    found = {}
    for job_id in connection.scalars(_outdated(after, until, now)).all():
        seconds = connection.scalars(_GOOD, {"job": job_id}).all()
        if usual := usual_duration(seconds):
            found[job_id] = usual
    return UsualPass(mark, until, until < newest, now - LONGEST_COMMIT, found)


def keep_usual(connection: Connection, done: UsualPass) -> bool:
    """Store what a pass has found; False when another daemon was faster, and has stored it."""
    if not _move_mark(connection, done):
        return False
    for job_ids in chunks(sorted(done.found)):
        connection.execute(delete(usual_durations).where(usual_durations.c.job_id.in_(job_ids)))
        rows = [
            {"job_id": job_id, "computed_at": done.computed_at} | asdict(done.found[job_id])
            for job_id in job_ids
        ]
        connection.execute(insert(usual_durations), rows)
    return True


def _outdated(after: int, until: int, now: datetime) -> Select[Any]:
    """The jobs of which a run that has succeeded by these events is to count."""
    known = usual_durations.c
    changes = or_(known.runs < MOST_RUNS, known.computed_at < now - GOOD_FOR)
    query = (
        select(runs.c.job_id)
        .select_from(events)
        .join(runs, runs.c.run_id == events.c.run_id)
        .outerjoin(usual_durations, known.job_id == runs.c.job_id)
    )
    return query.where(
        events.c.id > after,
        events.c.id <= until,
        events.c.type == Report.FINISHED.value,
        runs.c.status == Status.SUCCEEDED.value,
        or_(known.job_id.is_(None), and_(known.computed_at < runs.c.recorded_at, changes)),
    ).distinct()


def _move_mark(connection: Connection, done: UsualPass) -> bool:
    reached = str(done.reached)
    if done.mark is not None:
        moved = update(settings).where(_MARK, settings.c.value == done.mark).values(value=reached)
        return connection.execute(moved).rowcount == 1
    return keep_first(connection, MARK, reached)
