"""What only a server can do to a transaction: locks, deadlocks, lost connections, restarts, other clocks."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import OperationalError
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from cronq.database import gateway, schema
from cronq.database.categories import replace_category
from cronq.database.claims import claim_due
from cronq.database.gateway import Database, make_engine, server_time, transact_here
from cronq.database.ledger import record_reports
from cronq.database.outbox import claim_unpublished, mark_published, mark_unroutable
from cronq.database.tables import categories, definitions, jobs
from cronq.domain.errors import DatabaseUnavailable, NotStorable
from cronq.domain.jobs import Category
from cronq.domain.messages import Report
from tests.database.racing import AtOnce, RaceCase
from tests.database.store import MINUTELY, START, StoreCase, at, job, report
from tests.integration.test_mariadb import OnMariaDB
from tests.servers import MariaDB, mariadb


def count(connection: Connection) -> int:
    """How many categories there are."""
    return int(connection.scalar(text("SELECT COUNT(*) FROM categories")) or 0)


class LockTests(OnMariaDB):
    """Rows that another transaction has locked."""

    def setUp(self) -> None:
        super().setUp()
        self.put(*(job(f"other {n}") for n in range(60)), category="other")
        self.put(job("a"), job("b"))
        self.now = at(0, 1)

    @contextmanager
    def locked(self, statement: Any) -> Iterator[Connection]:
        """Another transaction that holds the rows of a query."""
        with self.engine.connect() as connection, connection.begin():
            connection.execute(statement.with_for_update()).all()
            yield connection

    def job_id(self, name: str) -> int:
        return int(self.row(jobs, name=name)["id"])

    def test_claim_passes_over_jobs_in_other_hands(self) -> None:
        """An injector does not wait for a job that another one has; it takes all the others."""
        with self.locked(select(jobs).where(jobs.c.name == "a")):
            names = {run.name for run in self.claim().publications}
        self.assertEqual(len(names), 61)
        self.assertNotIn("a", names)
        self.assertEqual([run.name for run in self.claim().publications], ["a"])

    def test_locked_definition(self) -> None:
        """A definition that someone has locked for a moment is not taken for a missing one."""
        a = self.job_id("a")
        with self.locked(select(definitions).where(definitions.c.job_id == a)):
            self.assertEqual(len(self.claim().publications), 62)
        self.assertEqual(len(self.rows(definitions, job_id=a)), 1)

    def test_other_categories_are_not_touched(self) -> None:
        """A category can be replaced while the jobs of another one are in other hands."""
        self.sql("ANALYZE TABLE jobs")
        with self.locked(select(jobs).where(jobs.c.name.like("other%"))):
            self.put(job("a", command="new"))
        self.assertEqual(self.row(jobs, name="a")["command"], "new")

    def test_republishing_hides_no_job(self) -> None:
        """An injector that publishes again does not keep others from claiming the same jobs."""
        self.claim()
        self.now = at(0, 2)
        with self.engine.connect() as connection, connection.begin():
            connection.execution_options(cronq_clock=lambda _: self.now)
            self.assertEqual(len(claim_unpublished(connection, 100)), 62)
            self.assertEqual(len(self.claim().publications), 62)


class MiddleOfAClaimTests(RaceCase, OnMariaDB):
    """A category that is replaced while its jobs are in the hands of an injector."""

    def test_the_change_waits(self) -> None:
        """The change waits for the claim, and then settles by the time that it is by then."""
        self.put(job(command="old"))
        self.now = at(0, 1)
        with self.claim_in_progress() as commit, ThreadPoolExecutor(1) as threads:
            wanted = Category("example", (job(command="new"),))
            change = threads.submit(self.now_do, self.gateway(AtOnce()), replace_category, wanted)
            self.await_lock_wait(change)
            self.now = at(0, 5)
            commit()
            change.result(60)
        self.now = at(0, 7)
        self.claim()
        (row,) = self.rows(jobs)
        self.assertAccounted(row["id"], MINUTELY, START, self.now)
        self.assertEqual(
            [(each["command"], each["since"], each["until"]) for each in self.rows(definitions)],
            [("old", START, at(0, 5)), ("new", at(0, 5), None)],
        )

    @contextmanager
    def claim_in_progress(self) -> Iterator[Callable[[], None]]:
        """A claim that is done and not committed."""
        with self.engine.connect() as connection:
            connection.execution_options(cronq_clock=lambda _: self.now)
            self.assertEqual(len(claim_due(connection, 10, "host.1").publications), 1)
            yield connection.commit

    def await_lock_wait(self, change: Future[Any]) -> None:
        """Returns when another transaction waits for a lock, as the change has to."""
        waiting = text("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
        with self.engine.connect() as connection:
            while not connection.scalar(waiting):
                self.assertFalse(change.done())
                connection.rollback()
                time.sleep(0.2)  # the server renews this table only when no one has read it for 0.1 s


class DeadlockTests(RaceCase, OnMariaDB):
    """Transactions that wait for each other."""

    def setUp(self) -> None:
        super().setUp()
        self.execute(insert(categories), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        self.meeting = Barrier(2)
        self.tries = 0

    def crossing(self, first: int, second: int, *, nested: bool) -> Callable[[Database], Any]:
        """Locks one row, and then, when the other has locked the other, the other."""
        met = Event()

        def cross(connection: Connection) -> None:
            self.tries += 1
            touch(connection, first)
            if not met.is_set():
                self.meeting.wait(30)
                met.set()
            if nested:
                with connection.begin_nested():
                    touch(connection, second)
            else:
                touch(connection, second)

        def touch(connection: Connection, row: int) -> None:
            connection.execute(
                text("UPDATE categories SET name = CONCAT(name, 'x') WHERE id = :id"), {"id": row}
            )

        return lambda database: self.now_do(database, cross)

    def test_both_succeed(self) -> None:
        """The one that was rolled back is done again, in a savepoint or not."""
        for nested in (False, True):
            self.tries = 0
            self.at_once(self.crossing(1, 2, nested=nested), self.crossing(2, 1, nested=nested))
            self.assertEqual(self.tries, 3)
        self.assertEqual([row["name"] for row in self.rows(categories)], ["axxxx", "bxxxx"])


class ReaderTests(OnMariaDB):
    """Who only reads."""

    def test_one_state(self) -> None:
        """A reader sees one state throughout, whatever is committed meanwhile."""

        def look_twice(connection: Connection) -> list[int]:
            before = count(connection)
            self.put(category="new")
            return [before, count(connection)]

        self.assertEqual(self.read(look_twice), [0, 0])

    def test_writer_sees_the_latest(self) -> None:
        """A writer sees what others have committed since it began."""

        def look_twice(connection: Connection) -> list[int]:
            before = count(connection)
            self.put(category="new")
            return [before, count(connection)]

        self.assertEqual(self.do(look_twice), [0, 1])

    def test_reader_cannot_write(self) -> None:
        """What was called as a reader and writes all the same is found out, and the next one may write."""
        done = self.database.read(replace_category, Category("x", ()))
        failure = self.failureResultOf(Deferred.fromCoroutine(done), OperationalError)
        self.assertIn("READ ONLY", str(failure.value))
        self.put(category="x")


class StatementTests(OnMariaDB):
    """Hundreds of rows go to the server in a few statements, each of them many rows long."""

    JOBS = 300

    def setUp(self) -> None:
        super().setUp()
        self.put(*(job(f"job {n}", command="x" * 100) for n in range(self.JOBS)))
        self.now = at(0, 5)

    def statements(self, function: Callable[..., Any], *args: Any) -> dict[str, int]:
        """How many statements of which kind a function needs."""

        def measured(connection: Connection) -> dict[str, int]:
            before = status(connection)
            function(connection, *args)
            return {name: number - before[name] for name, number in status(connection).items()}

        def status(connection: Connection) -> dict[str, int]:
            names = ("Com_insert", "Com_update", "Com_select")
            found = connection.execute(text("SHOW SESSION STATUS LIKE 'Com\\_%'")).all()
            return {name: int(value) for name, value in found if name in names}

        return self.do(measured)

    def assertFew(self, function: Callable[..., Any], *args: Any, writes: int = 3) -> None:
        used = self.statements(function, *args)
        self.assertLessEqual(used["Com_insert"] + used["Com_update"], writes, used)
        self.assertLessEqual(used["Com_select"], 6, used)

    def test_way_of_a_batch(self) -> None:
        """Claim, confirm, republish, start, end, and again: three statements that write, at the most."""
        self.assertFew(claim_due, self.JOBS, "host.1")
        self.now += timedelta(hours=1)
        found = self.do(claim_unpublished, self.JOBS)
        self.assertEqual(len(found), self.JOBS)
        self.assertFew(mark_published, found)
        self.now += timedelta(hours=1)
        self.assertFew(claim_unpublished, self.JOBS)
        starts = [
            report(Report.STARTING, run.run_id, run.job_id, self.now, token="1" * 32) for run in found[1:]
        ]
        ends = [report(Report.FINISHED, run.run_id, run.job_id, self.now, return_code=0) for run in found[1:]]
        for batch in (starts, ends, starts + ends):
            self.assertFew(record_reports, batch)
        self.assertFew(mark_unroutable, found)

    def test_change_of_a_category(self) -> None:
        """All jobs changed, with their due slots; none changed; all removed. Three more record the change."""
        wanted = tuple(job(f"job {n}", command="new") for n in range(self.JOBS))
        self.assertFew(replace_category, Category("example", wanted), writes=4 + 3)
        self.assertFew(replace_category, Category("example", wanted), writes=0)
        self.assertFew(replace_category, Category("example", ()), writes=2 + 3)

    def test_inherited_jobs(self) -> None:
        """Jobs that 0.27 stored get their definitions all at once."""
        self.sql("DELETE FROM definitions")
        self.sql("UPDATE jobs SET schedule = NULL, settled_until = NULL")
        self.assertFew(claim_due, self.JOBS, "host.1")

    def test_ids_are_not_used_up(self) -> None:
        """Updates that are written as inserts take no ids, of which `jobs` has only so many."""
        for _ in range(3):
            self.claim()
            self.now += timedelta(minutes=1)
        highest = max(row["id"] for row in self.rows(jobs))
        self.put(job("one more"))
        self.assertLess(self.row(jobs, name="one more")["id"], highest + self.JOBS)


class OtherSettingsTests(StoreCase):
    """A server with settings of its own."""

    def open(self) -> Engine:
        settings = {"sql_mode": "''", "time_zone": "'+05:30'"}
        for name, value in settings.items():
            ((before,),) = mariadb().execute(f"SELECT @@GLOBAL.{name}")
            self.addCleanup(mariadb().execute, f"SET GLOBAL {name} = %s", before)
            mariadb().execute(f"SET GLOBAL {name} = {value}")
        return self.fresh_engine()

    def fresh_engine(self) -> Engine:
        url = mariadb().new_database()
        engine = make_engine(url)
        self.addCleanup(mariadb().drop_database, url)
        self.addCleanup(engine.dispose)
        transact_here(engine, schema.upgrade)
        return engine

    def test_time_zone(self) -> None:
        """Times are UTC, whatever the server's own time zone is."""
        for clock in ("NOW(6)", "UTC_TIMESTAMP(6)"):
            zone = self.do(lambda connection, clock=clock: connection.scalar(text(f"SELECT {clock}")))
            self.assertLess(abs(zone - self.do(server_time)), timedelta(hours=1))

    def test_modes(self) -> None:
        """Quotes, backslashes and lengths mean the same in every mode, and nothing is cut in silence."""
        for mode in ("", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "TRADITIONAL"):
            mariadb().execute("SET GLOBAL sql_mode = %s", mode)
            self.engine = self.fresh_engine()
            self.database = self.gateway(Clock())
            self.now = START
            hostile = "\\'\"\\n%s"
            self.put(job(hostile, command=hostile, routing_key=hostile))
            self.now = at(0, 1)
            run = self.claim_run()
            self.assertEqual((run.name, run.command, run.routing_key), (hostile,) * 3, mode)
            self.do(record_reports, [report(Report.LOST, run.run_id, run.job_id, self.now, reason=hostile)])
            self.assertFails(NotStorable, replace_category, Category("x" * 256, ()))


class OutageTests(StoreCase):
    """A server that stops, is restarted or does not answer."""

    def open(self) -> Engine:
        self.patch(gateway, "PATIENCE", 2)
        self.server = MariaDB()
        self.server.start()
        self.addCleanup(self.server.discard)
        self.server.execute("CREATE USER cronq IDENTIFIED BY 's3cret'")
        self.server.execute("GRANT ALL ON cronq.* TO cronq")
        self.address = f"127.0.0.1:{self.server.port}/cronq"
        engine = make_engine(f"mysql://cronq:s3cret@{self.address}")
        self.addCleanup(engine.dispose)
        transact_here(engine, schema.upgrade)
        return engine

    def assertUnavailable(self, url: str | None = None) -> None:
        """It is said in one line, without the password."""
        database = Database(make_engine(url), maybeDeferred, Clock()) if url else self.database
        done = Deferred.fromCoroutine(database.transact(count))
        said = str(self.failureResultOf(done, DatabaseUnavailable).value)
        self.assertEqual(len(said.splitlines()), 1)
        self.assertNotIn("s3cret", said)

    def test_all_kinds(self) -> None:
        """Each is one clear line, and when it is over everything goes on."""
        self.assertUnavailable(f"mysql://cronq:wrong-s3cret@{self.address}")
        self.assertUnavailable(f"mysql://cronq:s3cret@127.0.0.1:{self.server.port}/other")
        self.assertUnavailable("mysql://cronq:s3cret@127.0.0.1:1/cronq")
        for nested in (False, True):
            self.assertKilledConnection(nested=nested)
        self.server.pause()
        self.assertUnavailable()
        self.server.resume()
        self.assertEqual(self.do(count), 0)
        self.server.kill()
        self.assertUnavailable()
        self.server.start()
        self.assertEqual(self.do(count), 0)

    def assertKilledConnection(self, *, nested: bool) -> None:
        """A connection that is lost in the middle of a transaction; nothing of it is kept."""

        def lose_connection(connection: Connection) -> None:
            connection.execute(insert(categories).values(name="x"))
            with connection.begin_nested() if nested else nullcontext():
                self.server.execute(f"KILL {connection.scalar(text('SELECT CONNECTION_ID()'))}")
                count(connection)

        self.assertFails(DatabaseUnavailable, lose_connection)
        self.assertEqual(self.do(count), 0)
