"""The door to the database: transactions, tries, and errors that a person understands."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import Connection, Engine, event, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.database import faults
from cronq.database.claims import claim_due
from cronq.database.faults import GaveWay
from cronq.database.gateway import (
    DEADLOCK_RETRIES,
    LONGEST_PAUSE,
    Database,
    make_engine,
    now,
    read_here,
    transact_here,
)
from cronq.database.tables import categories
from cronq.domain.errors import DatabaseUnavailable, NotStorable
from tests.database.store import OnSQLite, at


def driver_error(
    number: int, text: str = "it says so", kind: type[DBAPIError] = OperationalError
) -> DBAPIError:
    """An error as PyMySQL and SQLAlchemy raise it."""
    return kind("SELECT 1", {}, pymysql.err.OperationalError(number, text))


def refusal(number: int, text: str = "it says so") -> DBAPIError:
    """An error of a server that does not even let us in."""
    return OperationalError(None, None, pymysql.err.OperationalError(number, text))


def failing(times: int, error: Exception) -> Callable[[Connection], str]:
    """A function that fails so many times."""
    left = [error] * times

    def function(_: Connection) -> str:
        if left:
            raise left.pop()
        return "done"

    return function


class TransactionTests(OnSQLite):
    """What a function does to the database."""

    def store(self, connection: Connection, name: str = "a") -> str:
        connection.execute(insert(categories).values(name=name))
        return name

    def test_kept(self) -> None:
        """What a function wrote is there when it has returned, and so is what it gave."""
        self.assertEqual(self.do(self.store, "x"), "x")
        self.assertEqual(self.row(categories)["name"], "x")

    def test_undone(self) -> None:
        """When it fails nothing of it is left, and its own error comes out as it is."""

        def store_and_fail(connection: Connection) -> None:
            self.store(connection)
            raise ZeroDivisionError("mine")

        self.assertEqual(self.assertFails(ZeroDivisionError, store_and_fail), "mine")
        self.assertEqual(self.rows(categories), [])

    def test_savepoint(self) -> None:
        """Of several rows in a part that failed none is left, and the rest is kept."""

        def store_in_parts(connection: Connection) -> None:
            self.store(connection, "first")
            try:
                with connection.begin_nested():
                    connection.execute(insert(categories), [{"name": "second"}, {"name": "first"}])
            except IntegrityError:
                self.store(connection, "third")

        self.do(store_in_parts)
        self.assertEqual([row["name"] for row in self.rows(categories)], ["first", "third"])

    def test_time(self) -> None:
        """The time is what the database says."""
        self.now = at(5)
        self.assertEqual(self.do(now), at(5))

    def test_away_from_the_reactor(self) -> None:
        """Functions run where they were told to, not in the caller's thread."""
        asked: list[Any] = []

        def run_elsewhere(*call: Any) -> Deferred[int]:
            asked.append(call)
            return succeed(7)

        database = Database(self.engine, run_elsewhere, Clock())
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(database.transact(now))), 7)
        self.assertEqual(len(asked), 1)

    def test_reader_sees_one_state(self) -> None:
        """Who reads is not disturbed by what is written meanwhile, and disturbs no one."""

        def look_twice(connection: Connection) -> list[int]:
            count = text("SELECT COUNT(*) FROM categories")
            before: int = connection.scalar(count) or 0
            self.do(self.store)
            return [before, connection.scalar(count) or 0]

        self.assertEqual(self.read(look_twice), [0, 0])
        self.assertEqual(len(self.rows(categories)), 1)

    def test_refused_value(self) -> None:
        """What breaks a key is refused for good."""
        self.do(self.store)
        self.assertIn("UNIQUE constraint failed", self.assertFails(NotStorable, self.store))

    def test_no_tables(self) -> None:
        """Before the tables are made the database counts as not ready."""
        self.sql("DROP TABLE runs")
        self.sql("DROP TABLE jobs")
        self.assertIn("no such table: jobs", self.assertFails(DatabaseUnavailable, claim_due, 1, "x"))


class RetryTests(OnSQLite):
    """Transactions that gave way to others."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.database = self.gateway(self.clock)

    def started(self, function: Callable[[Connection], str]) -> Deferred[str]:
        return Deferred.fromCoroutine(self.database.transact(function))

    def test_deadlock(self) -> None:
        """A transaction that lost a deadlock is tried again after a pause, until it succeeds."""
        done = self.started(failing(3, driver_error(1213)))
        self.assertNoResult(done)
        self.clock.pump([LONGEST_PAUSE] * 3)
        self.assertEqual(self.successResultOf(done), "done")

    def test_deadlock_inside_a_savepoint(self) -> None:
        """It may look like a savepoint that is gone."""
        done = self.started(failing(1, driver_error(1305, "SAVEPOINT sa_savepoint_1 does not exist")))
        self.clock.advance(LONGEST_PAUSE)
        self.assertEqual(self.successResultOf(done), "done")

    def test_for_ever(self) -> None:
        """When it never succeeds, that is said in the end."""
        done = self.started(failing(DEADLOCK_RETRIES, driver_error(1205, "Lock wait timeout exceeded")))
        self.clock.pump([LONGEST_PAUSE] * DEADLOCK_RETRIES)
        failure = self.failureResultOf(done, DatabaseUnavailable)
        self.assertTrue(failure.getErrorMessage().endswith(": Lock wait timeout exceeded"))

    def test_other_errors(self) -> None:
        """What would fail again is not tried again."""
        for error in (driver_error(2013), driver_error(1064), ValueError("mine")):
            self.failureResultOf(self.started(failing(1, error)), DatabaseUnavailable, DBAPIError, ValueError)

    def test_locked_by_another_process(self) -> None:
        """While another process holds SQLite's lock for long, a writer says so, and a reader reads."""
        event.listen(
            self.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1")
        )
        path = self.engine.url.database
        assert path is not None
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            done = self.started(failing(0, ValueError()))
            self.clock.pump([LONGEST_PAUSE] * (DEADLOCK_RETRIES // 2))
            self.assertEqual(self.rows(categories), [])
            self.assertNoResult(done)
            self.clock.pump([LONGEST_PAUSE] * DEADLOCK_RETRIES)
            failure = self.failureResultOf(done, DatabaseUnavailable)
            self.assertEqual(failure.getErrorMessage(), f"sqlite:///{path}: database is locked")

    def test_lock_that_is_given_back(self) -> None:
        """When the lock is given back, the writer goes on."""
        event.listen(
            self.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1")
        )
        with closing(sqlite3.connect(self.engine.url.database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            done = self.started(failing(0, ValueError()))
            self.assertNoResult(done)
        self.clock.advance(LONGEST_PAUSE)
        self.assertEqual(self.successResultOf(done), "done")


class MeaningTests(SynchronousTestCase):
    """What an error of the driver means to who called."""

    def meaning(self, error: Exception) -> BaseException:
        engine = make_engine("mysql://cronq:secret@db.example/cronq")
        try:
            with faults.translated(engine.url):
                raise error
        except Exception as translated:
            return translated

    def test_try_again(self) -> None:
        """Deadlocks, lock waits and changed rows."""
        for number in (1020, 1205, 1213, 1305):
            self.assertIsInstance(self.meaning(driver_error(number)), GaveWay)

    def test_not_available(self) -> None:
        """Refused, unknown, restarting, cut off, read only: all of it may be over in a while."""
        for number in (0, 1040, 1047, 1053, 1146, 1290, 1927, 2006, 2013, 4031):
            self.assertIs(type(self.meaning(driver_error(number))), DatabaseUnavailable, number)

    def test_not_let_in(self) -> None:
        """Whatever a server has against a login; MariaDB and MySQL keep finding new numbers for it."""
        for number in (1044, 1045, 1049, 1130, 1698, 2002, 2003, 2026, 4151):
            self.assertIs(type(self.meaning(refusal(number))), DatabaseUnavailable, number)

    def test_our_own_fault(self) -> None:
        """Statements that are wrong are a fault of cronq, and keep their traceback."""
        error = driver_error(1064)
        self.assertIs(self.meaning(error), error)

    def test_one_line_without_the_password(self) -> None:
        """The sentence names the database and what it said, but not the password."""
        said = str(self.meaning(refusal(2003, "Can't connect\n  to server")))
        self.assertEqual(
            said, "mysql+pymysql://cronq:***@db.example/cronq?charset=utf8mb4: Can't connect to server"
        )


class AddressTests(SynchronousTestCase):
    """Where the database is."""

    def driver(self, url: str) -> str:
        return make_engine(url).url.drivername

    def test_short_names(self) -> None:
        """`mysql` and `mariadb` mean the driver that cronq brings."""
        self.assertEqual(self.driver("mysql://root@localhost/cronq"), "mysql+pymysql")
        self.assertEqual(self.driver("mariadb://root@localhost/cronq"), "mariadb+pymysql")
        self.assertEqual(self.driver("mysql+pymysql://root@localhost/cronq"), "mysql+pymysql")
        self.assertEqual(self.driver("sqlite:///x"), "sqlite")

    def test_what_is_none(self) -> None:
        """A wrong address is told in a sentence, without the password."""
        for url, said in (
            ("", "it is no URL such as mysql://user:password@host:3306/cronq"),
            ("secret", "it is no URL such as mysql://user:password@host:3306/cronq"),
            ("mysql://root:secret@host:port/x", "it is no URL such as mysql://user:password@host:3306/cronq"),
            ("postgresql://root:secret@host/x", "postgresql is no database that cronq knows"),
            ("mysql+nothing://root:secret@host/x", "mysql+nothing has no driver here: "),
        ):
            error = self.assertRaises(ValueError, make_engine, url)
            self.assertTrue(str(error).startswith(said), str(error))
            self.assertNotIn("secret", str(error))


class FileTests(SynchronousTestCase):
    """SQLite files that are not as they should be."""

    def unavailable(self, engine: Engine) -> str:
        self.addCleanup(engine.dispose)
        database = Database(engine, maybeDeferred, Clock())
        failure = self.failureResultOf(Deferred.fromCoroutine(database.transact(now)), DatabaseUnavailable)
        return str(failure.value)

    def test_no_such_folder(self) -> None:
        """A file in a folder that is not there."""
        path = Path(self.mktemp()) / "no" / "such" / "file"
        self.assertEqual(
            self.unavailable(make_engine(f"sqlite:///{path}")),
            f"sqlite:///{path}: unable to open database file",
        )

    def test_mode(self) -> None:
        """A new file, and what SQLite puts beside it, is for its user alone; that of an old one stays."""
        self.addCleanup(os.umask, os.umask(0o022))
        path = Path(self.mktemp())
        for mode in (0o600, 0o640):
            engine = make_engine(f"sqlite:///{path}")
            self.addCleanup(engine.dispose)
            transact_here(
                engine, lambda connection: connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (n)")
            )
            found = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob(f"{path.name}*")}
            self.assertEqual(found, dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm"), mode))
            engine.dispose()
            path.chmod(0o640)

    def test_no_database(self) -> None:
        """A file that holds something else."""
        path = Path(self.mktemp())
        path.write_text("Dear diary, " * 100)
        said = self.unavailable(make_engine(f"sqlite:///{path}"))
        self.assertEqual(said, f"sqlite:///{path}: file is not a database")

    def test_programs_that_wait(self) -> None:
        """A program without a reactor gets the same sentences."""
        engine = make_engine(f"sqlite:///{self.mktemp()}/no/file")
        for door in (transact_here, read_here):
            error = self.assertRaises(DatabaseUnavailable, door, engine, now)
            self.assertIn("unable to open database file", str(error))

    def test_program_that_only_reads(self) -> None:
        """A program that only reads does not wait for whoever writes."""
        engine = make_engine(f"sqlite:///{self.mktemp()}")
        self.addCleanup(engine.dispose)
        with engine.connect() as writing, writing.begin():
            self.assertIsNotNone(read_here(engine, now))
