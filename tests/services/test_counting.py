"""The days of jobs, as results daemons count them while jobs run."""

from collections import Counter
from datetime import date

from sqlalchemy import Connection, select

from cronq.database.day_tables import job_days
from cronq.database.gateway import now as database_now
from cronq.database.reading.days import read_days
from cronq.database.tables import runs
from cronq.domain.runs import Status
from tests.services.cases import WorldTestCase, each_minute

HOUR = 3600.0
SINCE = date(2025, 12, 1)


class CountingTests(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = [self.world.start_results(f"results.{number}") for number in (1, 2)]
        self.world.start_injector()
        self.world.start_runner()
        self.world.put(each_minute(command="5 s"))

    def counted(self) -> int:
        """How many runs the table of days has in it."""
        return sum(self.world.do(lambda connection: connection.scalars(select(job_days.c.runs)).all()))

    def assertAllThere(self) -> None:
        """What a page reads is what the ledger has."""

        def look(connection: Connection) -> tuple[Counter[Status], Counter[Status]]:
            found = read_days(connection, 1, SINCE, database_now(connection))
            read = sum((Counter(counts) for counts in found.counts.values()), Counter[Status]())
            rows = connection.execute(select(runs.c.status, runs.c.slots).where(~runs.c.superseded))
            there = Counter[Status]()
            for status, slots in rows:
                there[Status(status)] += slots
            return read, there

        self.assertEqual(*self.world.do(look))

    def test_counted(self) -> None:
        """Twenty minutes later most of the runs are counted, once, though two daemons have the same duty."""
        self.world.run_for(20 * 60)
        self.assertGreater(self.counted(), 10)
        self.assertAllThere()

    def test_one_left(self) -> None:
        """When one of them is killed the other one goes on."""
        self.results[0].kill()
        self.world.run_for(HOUR)
        self.assertGreater(self.counted(), 40)
        self.assertAllThere()

    def test_database_away(self) -> None:
        """After an outage of the database, what ran and what was missed is all there."""
        self.world.run_for(20 * 60)
        self.world.database_down()
        self.world.run_for(HOUR)
        self.world.database_up()
        self.world.run_for(30 * 60)
        self.assertGreater(self.counted(), 20)
        self.assertAllThere()
