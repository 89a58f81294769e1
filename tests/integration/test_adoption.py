"""A database of 0.27 is taken over as it is, on a real MariaDB."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, select, text

from cronq.database import schema
from cronq.database.claims import claim_due
from cronq.database.gateway import make_engine, transact_here
from cronq.database.tables import jobs
from cronq.domain.errors import DatabaseUnavailable
from tests.database import upgrading
from tests.database.upgrading import shape
from tests.servers import mariadb

DUMP = Path(__file__).parents[1] / "data" / "cronq-0.27" / "database.sql"
OLD_COLUMNS = {
    "categories": "id, name",
    "jobs": "id, name, `interval`, next_run, last_run_start, last_run_stop, last_run_status, current_status,"
    " routing_key, command, run_now, locked_by, category_id",
    "events": "id, job_id, datetime, run_id, type, host, return_code",
}


def statements(dump: str) -> Iterator[str]:
    """The statements of a dump, one by one."""
    for statement in dump.split(";\n"):
        if statement.strip():
            yield statement.replace("%", "%%")


class MariaDBCase(upgrading.UpgradeCase):
    """Tests that begin with an empty database on MariaDB."""

    def new_engine(self) -> Engine:
        url = mariadb().new_database()
        engine = make_engine(url)
        self.addCleanup(mariadb().drop_database, url)
        self.addCleanup(engine.dispose)
        return engine

    def inherited(self, change: Callable[[str], str] = str) -> Engine:
        """A database as 0.27 left it, after a change to the dump."""
        engine = self.new_engine()
        with engine.connect() as connection:
            for statement in statements(change(DUMP.read_text())):
                connection.exec_driver_sql(statement)
            connection.commit()
        return engine

    def query(self, engine: Engine, statement: str, **values: Any) -> list[Any]:
        with engine.connect() as connection, connection.begin():
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []


class UpgradeTests(MariaDBCase, upgrading.UpgradeTests):
    """From nothing."""

    def test_lost_connection(self) -> None:
        """A server that goes away in the middle is told as such, and the next try finishes the work."""
        engine = self.new_engine()

        def kill(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith("\nCREATE TABLE runs"):
                number = connection.connection.dbapi_connection.thread_id()  # type: ignore[union-attr]
                mariadb().execute(f"KILL {number}")

        event.listen(engine, "before_cursor_execute", kill)
        self.assertRaises(DatabaseUnavailable, transact_here, engine, schema.upgrade)
        event.remove(engine, "before_cursor_execute", kill)
        transact_here(engine, schema.upgrade)
        self.assertEqual(shape(engine), shape(self.made()))


class AdoptionTests(MariaDBCase):
    """From the recorded database."""

    def old_rows(self, engine: Engine) -> dict[str, list[Any]]:
        return {
            table: self.query(engine, f"SELECT {columns} FROM {table} ORDER BY id")
            for table, columns in OLD_COLUMNS.items()
        }

    def adopted(self, change: Callable[[str], str] = str) -> Engine:
        engine = self.inherited(change)
        transact_here(engine, schema.upgrade)
        return engine

    def test_rows_are_unchanged(self) -> None:
        """Every value of every row is what it was."""
        engine = self.inherited()
        before = self.old_rows(engine)
        transact_here(engine, schema.upgrade)
        self.assertEqual(self.old_rows(engine), before)
        self.assertEqual([len(before[table]) for table in ("categories", "jobs", "events")], [2, 7, 50])

    def test_same_tables_as_fresh_ones(self) -> None:
        """It has the columns and keys of a new database; only the run ids of old events keep their type."""
        fresh, adopted = shape(self.made()), shape(self.adopted())
        for found in (fresh, adopted):
            found["events"]["columns"].pop("run_id")
        self.assertEqual(adopted, fresh)

    def test_killed_at_any_point(self) -> None:
        """Whenever the upgrade is killed, the next one finishes it."""
        self.assertSurvivesKills(self.inherited, shape(self.adopted()))

    def test_several_at_once(self) -> None:
        """Several injectors may be the first after the upgrade."""
        self.assertSeveralAtOnce(self.inherited, shape(self.adopted()))

    def test_old_servers(self) -> None:
        """Databases with the character set, the row format and the engine of old servers can be adopted."""
        ours = "ENGINE=InnoDB", "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
        expected = shape(self.adopted())
        for engine_clause, charset in (
            ("ENGINE=InnoDB ROW_FORMAT=COMPACT", "DEFAULT CHARSET=latin1"),
            ("ENGINE=InnoDB ROW_FORMAT=COMPACT", "DEFAULT CHARSET=utf8mb3"),
            ("ENGINE=InnoDB", "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"),
            ("ENGINE=MyISAM", "DEFAULT CHARSET=latin1"),
        ):

            def change(dump: str, engine_clause: str = engine_clause, charset: str = charset) -> str:
                return dump.replace(ours[0], engine_clause).replace(ours[1], charset)

            engine = self.adopted(change)
            found = shape(engine)
            for each in (found, expected):
                each["events"]["columns"].pop("run_id", None)
                each["events"]["foreign"] = each["jobs"]["foreign"] = set()  # MyISAM had none
            self.assertEqual(found, expected)
            wide = "\U0001f600"
            self.query(engine, "UPDATE jobs SET name = :x, command = :x WHERE id = 1", x=wide)
            self.query(engine, "INSERT INTO events (host, type) VALUES (:x, 'starting')", x=wide)
            self.assertEqual(
                self.query(engine, "SELECT name, command FROM jobs WHERE id = 1"), [(wide, wide)]
            )
            engines = "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()"
            self.assertEqual(self.query(engine, engines), [("InnoDB",)])

    def test_names_become_exact(self) -> None:
        """0.27 took names for equal that are not; after the upgrade both can be there."""
        engine = self.adopted()
        for name in ("EXAMPLE", "example "):
            self.query(engine, "INSERT INTO categories (name) VALUES (:name)", name=name)
        self.assertEqual(self.query(engine, "SELECT id FROM categories WHERE name = 'example'"), [(1,)])

    def test_queries_of_027(self) -> None:
        """What 0.27 asks of its tables still works, so that it can be gone back to."""
        engine = self.adopted()
        due = self.query(
            engine,
            "SELECT id FROM jobs WHERE next_run < :now OR run_now = 1 ORDER BY id FOR UPDATE",
            now=datetime(2026, 11, 23, 7, 5, 22),
        )
        self.assertEqual(due, [(1,), (2,), (3,)])
        (interval,) = self.query(engine, "SELECT `interval` FROM jobs WHERE id = 1")[0]
        self.assertEqual(interval, datetime(1970, 1, 1, 0, 0, 5))
        self.query(
            engine,
            "INSERT INTO jobs (name, `interval`, next_run, routing_key, command, category_id)"
            " VALUES ('new', '1970-01-01 00:01:00', UTC_TIMESTAMP(), 'default', 'true', 1)",
        )
        event = (
            "INSERT INTO events (job_id, datetime, run_id, type, host, return_code)"
            " VALUES (1, UTC_TIMESTAMP(), :run, 'starting', 'h', NULL)"
        )
        for _ in range(2):  # 0.27 recorded what came twice twice
            self.query(engine, event, run="a8fffd3e8f6246f8af92ff2073299354")
        self.query(engine, "UPDATE events SET job_id = NULL WHERE job_id = 7")
        self.query(engine, "DELETE FROM jobs WHERE id = 7")
        self.assertEqual(self.query(engine, "SELECT COUNT(*) FROM jobs"), [(7,)])

    def test_its_jobs_run(self) -> None:
        """The jobs that it left go on where it stopped, and the run by hand that it owed is made."""
        engine = self.adopted()
        claim = transact_here(engine, claim_due, 100, "host.1")
        by_hand = [run.name for run in claim.publications if run.slot is None]
        self.assertEqual(by_hand, ["Test Job"])
        with engine.connect() as connection:
            rows = connection.execute(select(jobs.c.interval, jobs.c.next_run).order_by(jobs.c.id)).all()
        self.assertEqual(rows[0].interval, timedelta(seconds=5))
        self.assertEqual(rows[0].next_run.second % 5, 0)
