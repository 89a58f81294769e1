"""What needs somebody's attention now, each found by a few dives into indexes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from cronq.database.reading.records import JobRecord
from cronq.database.reading.routing_keys import any_jobs, count_jobs, served_keys, unserved_keys, waiting_runs
from cronq.database.reading.troubled import (
    MOST_JOBS,
    failing_jobs,
    ids_that_ended,
    jobs_that_ended,
    known_jobs,
)
from cronq.database.tables import jobs
from cronq.domain.concerns import Concern, ConcernKind, Subject
from cronq.domain.runs import Status
from cronq.domain.standing import Daemon, DaemonKind, Standing

#: A slot that nobody takes, and a run that no runner takes, for so long, needs somebody.
LATE_AFTER = timedelta(minutes=1)
#: So many jobs of each kind are named.
SHOWN = 5


def read_concerns(connection: Connection, standing: Standing, now: datetime) -> tuple[Concern, ...]:
    """All there is, the gravest first."""
    used = any_jobs(connection)
    found = [
        *_of_daemons(standing, used=used),
        *(_of_runners(connection, now) if used else ()),
        *_late(connection, now),
        *_of_jobs(connection),
    ]
    order = list(ConcernKind)
    return tuple(sorted(found, key=lambda concern: order.index(concern.kind)))


def _of_daemons(standing: Standing, *, used: bool) -> Iterator[Concern]:
    for kind, missing in (
        (DaemonKind.INJECTOR, ConcernKind.NO_INJECTOR),
        (DaemonKind.RESULTS, ConcernKind.NO_RESULTS),
    ):
        silent = standing.silent_of(kind)
        if standing.alive_of(kind):
            yield from _each(ConcernKind.DAEMON_GONE, silent)
        elif silent or used:
            yield Concern(missing, 1, max((each.seen_at for each in silent), default=None))
    if standing.broker_is_up:
        yield from _each(ConcernKind.CUT_OFF, standing.cut_off)
    elif standing.alive:
        yield Concern(ConcernKind.NO_BROKER, 1)


def _each(kind: ConcernKind, daemons: tuple[Daemon, ...]) -> Iterator[Concern]:
    if daemons:
        subjects = tuple(Subject(f"{each.kind} {each.name}", since=each.seen_at) for each in daemons)
        since = min(each.seen_at for each in daemons) if kind is ConcernKind.DAEMON_GONE else None
        yield Concern(kind, len(daemons), since, subjects=subjects)


def _late(connection: Connection, now: datetime) -> Iterator[Concern]:
    due = select(jobs.c.next_run).where(jobs.c.next_run < now - LATE_AFTER).order_by(jobs.c.next_run)
    some = due.limit(MOST_JOBS).subquery()
    count, since = connection.execute(select(func.count(), func.min(some.c.next_run))).one()
    if count:
        yield Concern(ConcernKind.LATE, count, since)


def _of_runners(connection: Connection, now: datetime) -> Iterator[Concern]:
    served = served_keys(connection)
    waiting = waiting_runs(connection, now - LATE_AFTER)
    if not served:
        yield Concern(ConcernKind.NO_RUNNER, sum(each.runs for each in waiting.values()))
        return
    keys = unserved_keys(connection, served)
    if keys:
        subjects = tuple(
            Subject(
                key, since=waiting[key].since if key in waiting else None, count=count_jobs(connection, key)
            )
            for key in keys
        )
        since = min((each.since for each in subjects if each.since), default=None)
        yield Concern(ConcernKind.UNSERVED, len(keys), since, subjects=subjects)
    busy = {key: each for key, each in waiting.items() if key in served}
    if busy:
        subjects = tuple(Subject(key, since=each.since, count=each.runs) for key, each in busy.items())
        count, since = sum(each.runs for each in busy.values()), min(each.since for each in busy.values())
        yield Concern(ConcernKind.WAITING, count, since, subjects=subjects)


def _of_jobs(connection: Connection) -> Iterator[Concern]:
    known = known_jobs(connection)
    lost = jobs_that_ended(connection, Status.LOST, known, SHOWN)
    # What is lost has failed, too: it is told of once.
    told = ids_that_ended(connection, Status.LOST, known) if lost else frozenset[int]()
    for kind, each in (
        (ConcernKind.FAILING, failing_jobs(connection, known | told, SHOWN)),
        (ConcernKind.LOST, lost),
        (ConcernKind.UNROUTABLE, jobs_that_ended(connection, Status.UNROUTABLE, known, SHOWN)),
    ):
        if each is not None:
            subjects = tuple(_subject(job, each.since_of.get(job.id)) for job in each.jobs)
            yield Concern(kind, each.count, each.since, each.latest, subjects)


def _subject(job: JobRecord, since: datetime | None) -> Subject:
    return Subject(job.name, job.id, job.category.name if job.category else None, since or job.last_run_stop)
