"""Making the tables, on any database: from nothing, again, by several at once, and killed on the way."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.database import schema
from cronq.database.gateway import Database, transact_here
from cronq.database.tables import metadata

Shape = dict[str, Any]


class Killed(Exception):
    """Stands for `kill -9`."""


@contextmanager
def killed_before(engine: Engine, number: int) -> Iterator[list[str]]:
    """Every statement that changes something is noted, and the one with that number never comes."""
    changes: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0] in {"CREATE", "ALTER", "INSERT", "UPDATE", "COMMIT"}:
            if len(changes) == number:
                raise Killed
            changes.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield changes
    finally:
        event.remove(engine, "before_cursor_execute", note)


def shape(engine: Engine) -> Shape:
    """The tables: their columns with types, and what is unique or has an index."""
    with engine.connect() as connection:
        return {name: _table_shape(connection, name) for name in inspect(connection).get_table_names()}


def _table_shape(connection: Connection, table: str) -> Shape:
    found = inspect(connection)
    columns = {
        column["name"]: (repr(column["type"]), column["nullable"], str(column["default"]).strip("'"))
        for column in found.get_columns(table)
    }
    keys = {(tuple(key["column_names"]), bool(key["unique"])) for key in found.get_indexes(table)}
    keys |= {(tuple(key["column_names"]), True) for key in found.get_unique_constraints(table)}
    foreign = {(*key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(table)}
    return {"columns": columns, "keys": keys, "foreign": foreign}


class UpgradeCase(SynchronousTestCase):
    """Tests that begin with an empty database; `SQLiteFiles` and the like say where."""

    def new_engine(self) -> Engine:
        """An engine for a new and empty database."""
        raise NotImplementedError

    def is_current(self, engine: Engine) -> bool:
        database = Database(engine, maybeDeferred, Clock())
        return self.successResultOf(Deferred.fromCoroutine(database.read(schema.is_current)))

    def made(self) -> Engine:
        engine = self.new_engine()
        transact_here(engine, schema.upgrade)
        return engine

    def assertSurvivesKills(self, new_engine: Callable[[], Engine], expected: Shape) -> None:
        """Killed before each of its changes and begun again, it comes to the same end."""
        number = 0
        while True:
            engine = new_engine()
            with killed_before(engine, number) as changes:
                try:
                    transact_here(engine, schema.upgrade)
                except Killed:
                    pass
                else:
                    break
            self.assertFalse(self.is_current(engine), changes)
            transact_here(engine, schema.upgrade)
            self.assertEqual(shape(engine), expected, changes)
            number += 1
        self.assertGreater(number, 5)

    def assertSeveralAtOnce(self, new_engine: Callable[[], Engine], expected: Shape) -> None:
        """Several begin at the same time; each returns when the tables are there."""
        engine = new_engine()
        start = Barrier(4)

        def upgrade(_: int) -> bool:
            start.wait(30)
            transact_here(engine, schema.upgrade)
            return self.is_current(engine)

        with ThreadPoolExecutor(4) as threads:
            self.assertEqual(list(threads.map(upgrade, range(4))), [True] * 4)
        self.assertEqual(shape(engine), expected)


class UpgradeTests(UpgradeCase):
    """From nothing."""

    def test_tables(self) -> None:
        """All tables are there, and the database says so."""
        engine = self.new_engine()
        self.assertFalse(self.is_current(engine))
        transact_here(engine, schema.upgrade)
        self.assertTrue(self.is_current(engine))
        self.assertEqual(set(shape(engine)), {*metadata.tables, "alembic_version"})

    def test_every_column_and_index(self) -> None:
        """Each table has the columns and the indexes that the code counts on."""
        found = shape(self.made())
        for table in metadata.sorted_tables:
            self.assertEqual(list(found[table.name]["columns"]), list(table.columns.keys()))
            keys = {columns for columns, _ in found[table.name]["keys"]}
            self.assertLessEqual({tuple(index.columns.keys()) for index in table.indexes}, keys)

    def test_again(self) -> None:
        """What is done is not done again."""
        engine = self.made()
        with killed_before(engine, 0):
            transact_here(engine, schema.upgrade)

    def test_killed_at_any_point(self) -> None:
        """Whenever it is killed, the next one finishes the work."""
        self.assertSurvivesKills(self.new_engine, shape(self.made()))

    def test_several_at_once(self) -> None:
        """Any number of daemons may start at the same time."""
        expected = shape(self.made())
        for _ in range(3):
            self.assertSeveralAtOnce(self.new_engine, expected)

    def test_head(self) -> None:
        """The version that the code asks for is the newest one that it can make."""
        config = Config()
        config.set_main_option("script_location", "cronq:database/migrations")
        self.assertEqual(ScriptDirectory.from_config(config).get_heads(), [schema.HEAD])
