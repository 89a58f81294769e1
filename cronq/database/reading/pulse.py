"""Whether anything has changed that pages show: a few ends of indexes, however much there is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Table, func, select

from cronq.database.access_tables import changes
from cronq.database.standing_tables import daemons
from cronq.database.tables import events, runners, runs
from cronq.domain.heartbeats import ALIVE, RunnerStatus
from cronq.domain.runs import OPEN, Status

#: So far open runs are counted. Where there are more, some start and end all the time, and events tell it.
ENOUGH = 1000
#: How a run may end without an event.
_SILENT_ENDS = Status.LOST, Status.UNROUTABLE


@dataclass(frozen=True, slots=True)
class Version:
    """Two of them are equal when nothing has happened in between."""

    #: The newest run, event and change, how many runs are open, and how many runners and daemons there are.
    work: tuple[int | None, ...]
    #: When the last runner was heard of, by status, and the last daemon.
    heard: tuple[datetime | None, ...]


def read_version(connection: Connection) -> Version:
    """What there is now, by one statement."""
    work = [_newest(table) for table in (runs, events, changes)]
    work += [_latest(status) for status in _SILENT_ENDS]
    work += [_open(status) for status in sorted(OPEN)]
    work += [_runners(status) for status in (*ALIVE, RunnerStatus.SILENT)]
    work.append(select(func.count()).select_from(daemons).scalar_subquery())
    heard = [_heard(status) for status in ALIVE]
    heard.append(select(func.max(daemons.c.seen_at)).scalar_subquery())
    row = tuple(connection.execute(select(*work, *heard)).one())
    return Version(row[: len(work)], row[len(work) :])


def _newest(table: Table) -> ScalarSelect[Any]:
    return select(func.max(table.c.id)).scalar_subquery()


def _latest(status: Status) -> ScalarSelect[Any]:
    # What has ended is not to be published, so that the end of an index over both has it.
    ended = runs.c.status == status.value, runs.c.publish_after.is_(None)
    return select(func.max(runs.c.id)).where(*ended).scalar_subquery()


def _open(status: Status) -> ScalarSelect[Any]:
    found = select(runs.c.id).where(runs.c.status == status.value).limit(ENOUGH).subquery()
    return select(func.count()).select_from(found).scalar_subquery()


def _runners(status: RunnerStatus) -> ScalarSelect[Any]:
    return select(func.count()).where(runners.c.status == status.value).scalar_subquery()


def _heard(status: RunnerStatus) -> ScalarSelect[Any]:
    return select(func.max(runners.c.last_heard)).where(runners.c.status == status.value).scalar_subquery()
