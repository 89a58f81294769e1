"""Runs that an earlier life of an all-in-one process left behind."""

from cronq.database.ledger import record_reports
from cronq.database.restarts import REASON, lose_running
from cronq.database.tables import events, jobs, runs
from cronq.domain.messages import Report
from tests.database.store import OnSQLite, at, job, report


class LoseRunningTests(OnSQLite):
    def setUp(self) -> None:
        super().setUp()
        self.put(job())
        self.now = at(0, 1)
        self.run_id = self.claim_run().run_id

    def start_run(self) -> None:
        starting = report(Report.STARTING, self.run_id, 1, self.now, start_time=self.now, token="a" * 32)
        self.do(record_reports, [starting])

    def test_running(self) -> None:
        """A run that was granted, and of which nobody can know more, is lost; its job has failed."""
        self.start_run()
        self.assertEqual(self.do(lose_running), 1)
        run = self.row(runs)
        self.assertEqual((run["status"], run["reason"], run["host"]), ("lost", REASON, "host.example"))
        self.assertEqual(run["ended_at"], self.now)
        self.assertEqual(self.row(jobs)["current_status"], "failed")
        self.assertEqual([row["type"] for row in self.rows(events)], ["starting", "lost"])
        self.assertEqual(self.do(lose_running), 0)

    def test_others(self) -> None:
        """What waits, or is over, is left alone."""
        self.assertEqual(self.do(lose_running), 0)
        self.assertEqual(self.row(runs)["status"], "queued")
        self.start_run()
        finished = report(Report.FINISHED, self.run_id, 1, self.now, return_code=0)
        self.do(record_reports, [finished])
        self.assertEqual(self.do(lose_running), 0)
        self.assertEqual(self.row(runs)["status"], "succeeded")

    def test_corrected(self) -> None:
        """The report of an end that the earlier life still had on disk counts more."""
        self.start_run()
        self.do(lose_running)
        finished = report(Report.FINISHED, self.run_id, 1, self.now, return_code=3)
        self.do(record_reports, [finished])
        self.assertEqual((self.row(runs)["status"], self.row(runs)["return_code"]), ("failed", 3))
