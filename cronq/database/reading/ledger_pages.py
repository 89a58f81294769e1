"""The rows of the ledger in the order of slots, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select

from cronq.database.tables import definitions, events, jobs, runners, runs
from cronq.domain.audited_runs import AuditedRun
from cronq.domain.messages import STARTED_TWICE
from cronq.domain.runs import Cause, Status
from cronq.domain.saturating import just_before

#: Rows on a page.
PAGE = 1000

# An audit asks the same again for each of many jobs, so the statements are made once. What can be is worked
# out by the database: most of an audit's time goes into making values of what it sends.
_STARTED = or_(runs.c.granted_at.is_not(None), runs.c.started_at.is_not(None))
_GRANTED_AT = func.coalesce(runs.c.granted_at, runs.c.started_at, runs.c.queued_at)
_OPEN_SINCE = case(
    # What waits for other runs of its job is as long queued as these run.
    ((runs.c.status == Status.QUEUED.value) & runs.c.publish_after.is_(None), None),
    (runs.c.status == Status.QUEUED.value, func.coalesce(runs.c.not_before, runs.c.queued_at)),
    (runs.c.status == Status.RUNNING.value, _GRANTED_AT),
)
_TWICE = and_(events.c.run_id == runs.c.run_id, events.c.type == STARTED_TWICE, events.c.once == 1)
_RUNNER = and_(runners.c.id == runs.c.runner, runs.c.status == Status.RUNNING.value)
_SECOND_HOST = case((events.c.id.is_not(None), func.coalesce(events.c.host, "an unknown host")))

#: Selects what `audited` reads.
AUDITED = select(
    runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.cause, runs.c.attempt, runs.c.slot, runs.c.last_slot,
    runs.c.slots, _STARTED, _OPEN_SINCE, _SECOND_HOST, runs.c.superseded, runners.c.last_heard,
).select_from(runs.outerjoin(events, _TWICE).outerjoin(runners, _RUNNER))  # fmt: skip

_OF_JOB = runs.c.job_id == bindparam("job")
_ROWS = AUDITED.where(_OF_JOB, runs.c.slot > bindparam("after"), runs.c.slot <= bindparam("until")).order_by(
    runs.c.slot, runs.c.attempt
)
_PAGE = _ROWS.limit(bindparam("size"))
# Of the schedule's own rows, as only these stand for several slots: other runs may lie among those.
_LAST_UNTIL = (
    select(runs.c.slot)
    .where(_OF_JOB, runs.c.slot <= bindparam("moment"), runs.c.cause.is_(None))
    .order_by(runs.c.slot.desc())
    .limit(1)
)
# Three dives into indexes; DISTINCT would walk over all runs.
_NEXT_JOB = select(
    *(
        select(func.min(job_id)).where(job_id > bindparam("after")).scalar_subquery()
        for job_id in (jobs.c.id, definitions.c.job_id, runs.c.job_id)
    )
)


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Rows of a job in the order of slots and attempts, with all attempts of each slot."""

    rows: Sequence[AuditedRun]
    #: Whether there are no more after these.
    last: bool


def next_job_ids(connection: Connection, after: int, count: int) -> list[int]:
    """The next ids of jobs that have slots, or rows in the ledger, also of jobs that are gone."""
    found: list[int] = []
    while len(found) < count:
        ids = [each for each in connection.execute(_NEXT_JOB, {"after": after}).one() if each is not None]
        if not ids:
            break
        after = min(ids)
        found.append(after)
    return found


def first_page(connection: Connection, job_id: int, since: datetime | None, until: datetime) -> LedgerPage:
    """The rows with `since` < slot <= `until`, and those before from the last one on that may reach into
    that time.
    """
    if since is None:
        return next_page(connection, job_id, datetime.min, until)
    before = connection.scalar(_LAST_UNTIL, {"job": job_id, "moment": since})
    return next_page(connection, job_id, since if before is None else just_before(before), until)


def next_page(connection: Connection, job_id: int, after: datetime, until: datetime) -> LedgerPage:
    """The rows with `after` < slot <= `until`, as many as are on a page."""
    bounds = {"job": job_id, "after": after, "until": until}
    found = [audited(row) for row in connection.execute(_PAGE, bounds | {"size": PAGE}).all()]
    if len(found) < PAGE:
        return LedgerPage(found, last=True)
    # The attempts of the last slot may go on, so they are left to the next page.
    end = found[-1].slot
    whole = [run for run in found if run.slot != end]
    if not whole:
        whole = [audited(row) for row in connection.execute(_ROWS, bounds | {"until": end}).all()]
    return LedgerPage(whole, last=False)


def audited(row: Sequence[Any]) -> AuditedRun:
    """The run of a row that `AUDITED` has selected."""
    run_id, job_id, status, cause, *rest = row
    return AuditedRun(run_id, job_id, Status(status), cause and Cause(cause), *rest)
