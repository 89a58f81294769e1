"""What an audit looks at besides slots: runs by hand, and the starts that 0.27 wrote down."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, func, select

from cronq.database.bulk import chunks
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.ledger_pages import AUDITED, audited
from cronq.database.tables import events, runs
from cronq.domain.audited_runs import AuditedRun
from cronq.domain.messages import Report
from cronq.domain.saturating import shifted

#: Ids in one read.
WINDOW = 5000
#: Rows with greater ids were made later, as far as clocks do not go back by more than this.
_CLOCKS_GO_BACK = timedelta(days=1)
#: So many runs by hand of a job are read at once, wherever they are.
FEW = 1000


@dataclass(frozen=True, slots=True)
class RestartedRun:
    """A run that 0.27 has started on more than one host."""

    run_id: str
    job_id: int | None
    hosts: tuple[str, ...]


def windows(ids: range) -> Iterator[range]:
    """The ids, so many at a time as one read should go over."""
    return (ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW))


def ids_of_runs(connection: Connection, since: datetime | None, around: timedelta = _CLOCKS_GO_BACK) -> range:
    """Where the runs are that were made since then, or up to `around` before it."""
    return _ids_since(connection, runs, runs.c.queued_at, since, around)


def ids_of_inherited_events(connection: Connection, since: datetime | None) -> range:
    """Where the events of 0.27 are that happened since then."""
    last = Inheritance(connection).last
    if not last:
        return range(0)
    ids = _ids_since(connection, events, events.c.datetime, since, _CLOCKS_GO_BACK)
    return range(ids.start, min(ids.stop, last + 1))


def few_by_hand(connection: Connection, job_id: int) -> bool:
    """Whether a job has so few runs by hand that an index over its slots leads to all of them at once."""
    by_hand = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.slot.is_(None)).limit(FEW).subquery()
    return (connection.scalar(select(func.count()).select_from(by_hand)) or 0) < FEW


def runs_by_hand(
    connection: Connection, ids: range, since: datetime | None, until: datetime, job_id: int | None
) -> list[AuditedRun]:
    """The runs by hand with these ids that were asked for in that time."""
    query = AUDITED.where(_between(runs, ids), runs.c.slot.is_(None))
    query = query.where(runs.c.queued_at < until)
    if since is not None:
        query = query.where(runs.c.queued_at >= since)
    if job_id is not None:
        query = query.where(runs.c.job_id == job_id)
    return [audited(row) for row in connection.execute(query.order_by(runs.c.id))]


def restarted_runs(
    connection: Connection, ids: range, since: datetime | None, until: datetime, job_id: int | None
) -> list[RestartedRun]:
    """The runs of 0.27 that begin with one of these events, in that time, and had starts on two hosts."""
    starts = (events.c.type == Report.STARTING.value) & events.c.once.is_(None)
    begun = select(events.c.run_id).where(_between(events, ids), starts, events.c.datetime < until)
    if since is not None:
        begun = begun.where(events.c.datetime >= since)
    if job_id is not None:
        begun = begun.where(events.c.job_id == job_id)
    first = func.min(events.c.id)
    found = []
    for run_ids in chunks(sorted(set(connection.scalars(begun)))):
        several = (
            select(events.c.run_id, func.max(events.c.job_id).label("job_id"))
            .where(events.c.run_id.in_(run_ids), starts)
            .group_by(events.c.run_id)
            .having((func.count(events.c.host.distinct()) > 1) & first.between(ids[0], ids[-1]))
        )
        for row in connection.execute(several).all():
            where = select(events.c.host).distinct().where(events.c.run_id == row.run_id, starts)
            hosts = sorted(filter(None, connection.scalars(where)))
            found.append(RestartedRun(row.run_id, row.job_id, tuple(hosts)))
    return found


def _between(table: Table, ids: range) -> ColumnElement[bool]:
    return table.c.id.between(ids[0], ids[-1])


def _ids_since(
    connection: Connection,
    table: Table,
    moment: ColumnElement[datetime],
    since: datetime | None,
    around: timedelta,
) -> range:
    """From the first row that was made since then to the last; found by halving, as no index leads there."""
    least, most = connection.execute(select(func.min(table.c.id), func.max(table.c.id))).one()
    if least is None:
        return range(0)
    ids = range(least, most + 1)
    if since is None:
        return ids
    begin = shifted(since, -around)

    def made_later(row_id: int) -> bool:
        made = connection.scalar(select(moment).where(table.c.id >= row_id).order_by(table.c.id).limit(1))
        return made is not None and made >= begin

    return ids[bisect_left(ids, True, key=made_later) :]
