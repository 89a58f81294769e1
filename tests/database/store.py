"""A database for each test, on SQLite or on a server, with a clock that only the test moves."""

import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RowMapping, Table, insert, select, text
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.database import schema
from cronq.database.categories import replace_category
from cronq.database.claims import Claim, claim_due
from cronq.database.gateway import Database, make_engine
from cronq.database.tables import categories, definitions, jobs, runs
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.schedules import Schedule, fixed_interval, parse_schedule

T = TypeVar("T")
START = datetime(2026, 1, 1)
TICK = timedelta(microseconds=1)
MINUTELY = "R/2026-01-01T00:00:00/PT1M"
HOST = "host.example"


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A time of the day on which all tests begin."""
    return START.replace(hour=hour, minute=minute, second=second)


def job(
    name: str = "Test Job", schedule: str = MINUTELY, command: str = "true", **rest: Any
) -> JobDefinition:
    """A job that runs every minute."""
    return JobDefinition(name, schedule, command, **rest)


def schedule_of(definition: RowMapping) -> Schedule:
    """What a row of `definitions` says."""
    text, anchor, every = (definition[key] for key in ("schedule", "anchor", "interval"))
    return parse_schedule(text) if text else fixed_interval(anchor, every)


def report(kind: Report, run_id: str, job_id: int, sent_at: datetime, **rest: Any) -> ResultMessage:
    """What a runner says of a run."""
    return ResultMessage(run_id, job_id, kind, sent_at, HOST, **rest)


class StoreCase(SynchronousTestCase):
    """What the tests of the database room have in common; `OnSQLite` and `OnMariaDB` say where they run."""

    def setUp(self) -> None:
        self.now = START
        self.engine = self.open()
        self.database = self.gateway(Clock())

    def open(self) -> Engine:
        """An engine for a database of this test's own, with tables and without rows."""
        raise NotImplementedError

    def gateway(self, clock: Any) -> Database:
        """A door to the database that works in the calling thread."""
        return Database(self.engine, maybeDeferred, clock, lambda _: self.now)

    def do(self, function: Callable[..., T], *args: Any) -> T:
        """What a function gives in a transaction."""
        return self.successResultOf(Deferred.fromCoroutine(self.database.transact(function, *args)))

    def assertFails(self, kind: type[Exception], function: Callable[..., Any], *args: Any) -> str:
        """What the error says with which a function fails in a transaction."""
        failure = self.failureResultOf(Deferred.fromCoroutine(self.database.transact(function, *args)), kind)
        return str(failure.value)

    def read(self, function: Callable[..., T], *args: Any) -> T:
        """What a function gives that only reads."""
        return self.successResultOf(Deferred.fromCoroutine(self.database.read(function, *args)))

    def execute(self, statement: Any, values: Any = None) -> None:
        """What a person at a prompt does."""
        self.do(lambda connection: connection.execute(statement, values) and None)

    def sql(self, statement: str, **values: Any) -> None:
        """What a person at a prompt does, in plain SQL."""
        self.execute(text(statement), values)

    def put(self, *wanted: JobDefinition, category: str = "example") -> None:
        """Replace a category."""
        self.do(replace_category, Category(category, wanted))

    def claim(self, limit: int = 100, injector: str = "host.1") -> Claim:
        """Claim what is due now."""
        return self.do(claim_due, limit, injector)

    def claim_run(self) -> Any:
        """Claim the only run that is due."""
        (publication,) = self.claim().publications
        return publication

    def rows(self, table: Table, **where: Any) -> list[RowMapping]:
        """The rows of a table, in the order of their ids."""
        query = select(table).order_by(table.c.id)
        for column, value in where.items():
            query = query.where(table.c[column] == value)
        return self.read(lambda connection: connection.execute(query).mappings().all())

    def row(self, table: Table, **where: Any) -> RowMapping:
        """The only such row."""
        (found,) = self.rows(table, **where)
        return found

    def insert_old_job(self, name: str, next_run: datetime, interval: timedelta, **rest: Any) -> int:
        """A job as 0.27 stored it; gives its id."""
        usual = {"command": "true", "routing_key": "default", "run_now": None, "category_id": None}
        self.execute(insert(jobs), usual | {"name": name, "next_run": next_run, "interval": interval} | rest)
        return int(self.row(jobs, name=name)["id"])

    def ledger(self, **where: Any) -> list[tuple[Any, ...]]:
        """Status, slot, last slot and count of each row in the ledger."""
        return [
            (row["status"], row["slot"], row["last_slot"], row["slots"])
            for row in sorted(self.rows(runs, **where), key=lambda row: (row["slot"] or START, row["id"]))
        ]

    def slots(self, job_id: int) -> Iterator[datetime]:
        """Every slot of a job that the ledger accounts for, those in ranges one by one."""
        for row in self.rows(runs, job_id=job_id):
            if row["last_slot"] is None:
                yield from [row["slot"]] if row["slot"] else []
            else:
                yield from self._slots_of_range(row)

    def _slots_of_range(self, row: RowMapping) -> list[datetime]:
        schedule = schedule_of(self.row(definitions, id=row["definition_id"]))
        found = list(schedule.slots_between(row["slot"] - TICK, row["last_slot"]))
        self.assertEqual(len(found), row["slots"])
        return found

    def assertAccounted(self, job_id: int, schedule: str, after: datetime, until: datetime) -> None:
        """Each slot of the job in that time is in the ledger, and in it once."""
        expected = list(parse_schedule(schedule).slots_between(after, until))
        found = sorted(slot for slot in self.slots(job_id) if after < slot <= until)
        self.assertEqual(found, expected)


class OnSQLite(StoreCase):
    """In a file of its own."""

    def open(self) -> Engine:
        path = Path(self.mktemp())
        shutil.copy(_template(), path)
        engine = make_engine(f"sqlite:///{path}")
        self.addCleanup(engine.dispose)
        return engine


@functools.cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(dir=Path.cwd())) / "template"
    engine = make_engine(f"sqlite:///{path}")
    with engine.connect() as connection, connection.begin():
        schema.upgrade(connection)
    engine.dispose()
    return path


def clear(connection: Connection) -> None:
    """Delete the rows of all tables."""
    for table in reversed(categories.metadata.sorted_tables):
        connection.execute(table.delete())
