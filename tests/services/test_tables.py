"""The tables: made by whoever may, once, and awaited by the others."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select
from twisted.internet.defer import Deferred

from cronq.database.gateway import Database, make_engine
from cronq.database.tables import jobs
from cronq.domain.errors import DatabaseUnavailable
from cronq.services.tables import Tables
from tests.services.cases import LoggedTestCase
from tests.services.turns import Turns


class TablesTests(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Turns()
        engine = make_engine("sqlite://")
        self.addCleanup(engine.dispose)
        self.database = Database(engine, self._in_thread, self.clock)
        self.done: list[str] = []

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        self.clock.callLater(1, answer.callback, None)
        return answer.addCallback(lambda _: function(*arguments))

    def tables(self, *, create: bool, then: Sequence[Callable[..., Any]] = ()) -> Tables:
        return Tables(self.database, create=create, then=then)

    def ready(self, tables: Tables, times: int = 1) -> list[bool]:
        """Ask so many times at once."""
        answers = [Deferred.fromCoroutine(tables.ready()) for _ in range(times)]
        self.clock.run_for(60)
        return [self.successResultOf(answer) for answer in answers]

    def note(self, name: str) -> Callable[[Connection], None]:
        def do(connection: Connection) -> None:
            connection.execute(select(jobs))
            self.done.append(name)

        return do

    def test_created(self) -> None:
        """Who may create them has them at once, and can use them."""
        self.assertEqual(self.ready(self.tables(create=True, then=[self.note("used")])), [True])
        self.assertEqual(self.done, ["used"])

    def test_awaited(self) -> None:
        """Who may not create them waits, with one line, until someone has."""
        waiting = self.tables(create=False)
        for _ in range(3):
            self.assertEqual(self.ready(waiting), [False])
        self.assert_said("waiting for an injector to create or upgrade the tables")
        self.ready(self.tables(create=True))
        self.assertEqual(self.ready(waiting), [True])

    def test_everything_once(self) -> None:
        """What is to be done then is done once and in order, however many ask at the same time."""
        tables = self.tables(create=True, then=[self.note(name) for name in "abc"])
        self.assertEqual(self.ready(tables, times=4), [True] * 4)
        self.assertEqual(self.ready(tables), [True])
        self.assertEqual(self.done, ["a", "b", "c"])

    def test_database_fails_in_between(self) -> None:
        """What was done before the database went away is not done again."""
        moods = [False, True]

        def moody(_connection: Connection) -> None:
            if moods.pop():
                raise DatabaseUnavailable("it is gone")
            self.done.append("moody")

        tables = self.tables(create=True, then=[self.note("a"), moody, self.note("b")])
        answer = Deferred.fromCoroutine(tables.ready())
        self.clock.run_for(60)
        self.failureResultOf(answer, DatabaseUnavailable)
        self.assertEqual(self.ready(tables, times=2), [True, True])
        self.assertEqual(self.done, ["a", "moody", "b"])

    def test_no_question_twice(self) -> None:
        """Once they are there, the database is not asked again."""
        tables = self.tables(create=True)
        self.ready(tables)
        turns = self.clock.turns
        self.ready(tables, times=5)
        self.assertEqual(self.clock.turns, turns)
