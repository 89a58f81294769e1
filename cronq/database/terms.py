"""What jobs ran by, from one change to the next."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from cronq.database.bulk import chunks
from cronq.database.stored import read_schedule
from cronq.database.tables import definitions
from cronq.domain.errors import BadSchedule
from cronq.domain.timetable import Term


def term_of(
    text: str | None,
    anchor: datetime | None,
    interval: timedelta | None,
    since: datetime,
    until: datetime | None,
) -> Term:
    """What a definition says of slots; `until` is None when it is still in force."""
    until = until or datetime.max
    try:
        return Term(read_schedule(text, anchor, interval), since, until)
    except BadSchedule as error:
        return Term(None, since, until, str(error))


def read_terms(
    connection: Connection, job_ids: Collection[int], since: datetime
) -> Mapping[int, Sequence[Term]]:
    """What these jobs ran by from that moment on, the latest first; a job without a schedule has none."""
    found: dict[int, list[Term]] = defaultdict(list)
    scheduled = definitions.c.schedule.is_not(None) | definitions.c.anchor.is_not(None)
    in_force = definitions.c.until.is_(None) | (definitions.c.until >= since)
    for some in chunks(sorted(job_ids)):
        defined = select(definitions).where(definitions.c.job_id.in_(some), scheduled, in_force)
        for row in connection.execute(defined.order_by(definitions.c.id.desc())):
            found[row.job_id].append(term_of(row.schedule, row.anchor, row.interval, row.since, row.until))
    return found
