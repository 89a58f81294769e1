"""How a MariaDB goes about what pages ask of it, beside more jobs and runs than anybody reads."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from twisted.trial.unittest import SynchronousTestCase

from bench.addresses import Addresses
from bench.dataset import add_dataset
from bench.plans import Plans
from cronq.database import schema
from cronq.database.gateway import make_engine, read_here, transact_here
from cronq.database.reading.brief_runs import Bar, latest_bars
from tests.servers import mariadb

JOBS, RUNS = 3000, 20_000
#: Rows of a table that a statement of a page may walk over.
MOST = 1000
#: They read the schedules of all jobs, and keep what they have found for all who ask.
OF_ALL_SCHEDULES = {"/upcoming", "/api/upcoming"}


class Prompt:
    """A MariaDB, at a prompt."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        return mariadb().execute(statement, *values, url=self._database_url)

    def value(self, statement: str, *values: object) -> Any:
        """The one value that the database says."""
        ((found,),) = self.sql(statement, *values)
        return found


@functools.cache
def filled_database() -> str:
    """The URL of a database that the tests read, and leave as it is."""
    database_url = mariadb().new_database()
    engine = make_engine(database_url)
    transact_here(engine, schema.upgrade)
    engine.dispose()
    add_dataset(Prompt(database_url), JOBS, RUNS)
    return database_url


class PlanTests(SynchronousTestCase):
    """All routes that answer to GET, found by themselves."""

    def setUp(self) -> None:
        self.database_url = filled_database()
        self.prompt = Prompt(self.database_url)

    def plans(self, most: int = MOST) -> Plans:
        plans = Plans(self.database_url, most)
        self.addCleanup(plans.close)
        return plans

    def test_no_table_in_full(self) -> None:
        """No page and no address of the API has the server walk over all rows of a large table."""
        paths = Addresses(self.prompt).all()
        self.assertLessEqual({"/", "/run/<run_id>", "/api/jobs/<job_id>", "/runner/<name>"}, set(paths))
        wanted = {name: path for name, path in paths.items() if name not in OF_ALL_SCHEDULES}
        self.assertEqual([str(scan) for scan in self.plans().scans(wanted)], [])

    def test_would_be_seen(self) -> None:
        """What is read in full is found, with its table and its statement: an audit counts all jobs."""
        found = [str(scan) for scan in self.plans().scans({"an audit": "/audit"})]
        self.assertRegex(
            "".join(found), r"an audit: jobs is read in full \(index, [\d,]+ rows\): SELECT count"
        )

    def test_latest_runs(self) -> None:
        """For the latest runs of jobs, no more rows are read because jobs have had many runs before."""
        busiest = "SELECT job_id FROM runs GROUP BY job_id ORDER BY COUNT(*) DESC LIMIT 3"
        ids = [job_id for (job_id,) in self.prompt.sql(busiest)]
        engine = make_engine(self.database_url)
        self.addCleanup(engine.dispose)
        bars, read = read_here(engine, self.latest_bars, ids)
        self.assertEqual({len(each) for each in bars.values()}, {30})
        self.assertLess(read, 500)
        self.assertGreater(self.prompt.value("SELECT COUNT(*) FROM runs WHERE job_id = %s", ids[-1]), 500)

    def latest_bars(self, connection: Connection, ids: list[int]) -> tuple[Mapping[int, Sequence[Bar]], int]:
        """The latest runs of these jobs, and how many rows the server has read for them."""
        connection.exec_driver_sql("FLUSH STATUS")
        bars = latest_bars(connection, ids, 30)
        read = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
        return bars, sum(int(count) for _, count in read)

    def test_data(self) -> None:
        """There is as much as was asked for, and something of each kind."""
        self.assertEqual(self.prompt.value("SELECT COUNT(*) FROM jobs"), JOBS)
        runs = self.prompt.value("SELECT COUNT(*) FROM runs")
        self.assertTrue(0.8 * RUNS < runs < 1.2 * RUNS, runs)
        statuses = {status for (status,) in self.prompt.sql("SELECT DISTINCT status FROM runs")}
        expected = {"succeeded", "failed", "timed_out", "killed", "lost", "running", "queued"}
        self.assertLessEqual(expected, statuses)
