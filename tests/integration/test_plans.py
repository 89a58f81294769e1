"""How a MariaDB goes about what pages ask of it, beside more jobs and runs than anybody reads."""

import functools
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.addresses import Addresses
from bench.dataset import add_dataset
from bench.plans import Plans
from cronq.database import schema
from cronq.database.gateway import make_engine, transact_here
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

    def test_data(self) -> None:
        """There is as much as was asked for, and something of each kind."""
        self.assertEqual(self.prompt.value("SELECT COUNT(*) FROM jobs"), JOBS)
        runs = self.prompt.value("SELECT COUNT(*) FROM runs")
        self.assertTrue(0.8 * RUNS < runs < 1.2 * RUNS, runs)
        statuses = {status for (status,) in self.prompt.sql("SELECT DISTINCT status FROM runs")}
        expected = {"succeeded", "failed", "timed_out", "killed", "lost", "running", "queued"}
        self.assertLessEqual(expected, statuses)
