"""One SQLite file in the hands of several processes, some of which are killed."""

import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, update
from twisted.trial.unittest import SynchronousTestCase

from cronq.database import schema
from cronq.database.categories import replace_category
from cronq.database.gateway import make_engine, server_time, transact_here
from cronq.database.tables import jobs, runs
from cronq.domain.jobs import Category, JobDefinition
from tests.servers import ROOT

DAILY = "R/2020-01-01T00:00:00/P1D"
JOBS = 120
PROLOGUE = """
import sys
from cronq.database import schema
from cronq.database.claims import claim_due
from cronq.database.gateway import make_engine, transact_here
engine = make_engine(sys.argv[1])
"""
UPGRADE = PROLOGUE + "transact_here(engine, schema.upgrade)"
CLAIM = (
    PROLOGUE
    + """
while found := transact_here(engine, claim_due, 3, "host.1").publications:
    print(*(run.run_id for run in found), flush=True)
"""
)


class ProcessTests(SynchronousTestCase):
    """Daemons of their own that share a file."""

    def setUp(self) -> None:
        self.url = f"sqlite:///{Path(self.mktemp()).absolute()}"

    def started(self, script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, self.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        return process

    def engine(self) -> Engine:
        engine = make_engine(self.url)
        self.addCleanup(engine.dispose)
        return engine

    def make_due(self, engine: Engine) -> None:
        """Jobs of which one slot is due."""
        transact_here(engine, schema.upgrade)
        wanted = tuple(JobDefinition(str(n), DAILY, "true") for n in range(JOBS))
        transact_here(engine, replace_category, Category("example", wanted))
        yesterday = transact_here(engine, server_time) - timedelta(days=1)
        past = update(jobs).values(next_run=datetime(2020, 1, 1), settled_until=yesterday)
        transact_here(engine, lambda connection: connection.execute(past) and None)

    def test_new_file(self) -> None:
        """Several that find no file at all make one together."""
        processes = [self.started(UPGRADE) for _ in range(4)]
        self.assertEqual([process.communicate(timeout=120) for process in processes], [("", "")] * 4)
        self.assertTrue(transact_here(self.engine(), schema.is_current))

    def test_claims_and_a_kill(self) -> None:
        """Of several that claim, one is killed in the middle: no slot is lost and none is doubled."""
        engine = self.engine()
        self.make_due(engine)
        processes = [self.started(CLAIM) for _ in range(3)]
        assert processes[0].stdout is not None
        told = processes[0].stdout.readline()
        processes[0].kill()
        for process in processes:
            output, errors = process.communicate(timeout=120)
            self.assertEqual(errors, "")
            told += output
        query = select(runs.c.run_id, runs.c.job_id)
        found = transact_here(engine, lambda connection: connection.execute(query).all())
        self.assertEqual(len({row.job_id for row in found}), JOBS)
        self.assertEqual(len(found), JOBS)
        self.assertLessEqual(Counter(told.split()), Counter(row.run_id for row in found))
