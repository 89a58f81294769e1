"""Giving runs up, and what follows, on any database."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from cronq.database.ledger import record_reports
from cronq.database.losses import granted_runs, lose_runs, win_back_runs
from cronq.database.outbox import claim_unpublished
from cronq.database.tables import events, jobs, runs
from cronq.domain.hearing import GrantedRun
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.messages import Report
from cronq.domain.reports import Loss
from cronq.domain.rules import OnLost
from tests.database.hearing import RunnersCase
from tests.database.store import at, report

MINUTE = timedelta(minutes=1)


class LossTests(RunnersCase):
    """A run that was granted to a runner."""

    def setUp(self) -> None:
        super().setUp()
        self.run_in_hand = self.start_run()

    def state(self) -> Any:
        row = self.run_row(self.run_in_hand)
        return row["status"], row["reason"], row["abandoned"], row["superseded"]

    def test_granted(self) -> None:
        """What is running is known with its runner and the time of its request, but for runs of 0.27."""
        self.execute(insert(runs).values(run_id="e" * 32, job_id=1, status="running"))
        mine = GrantedRun(self.run_in_hand.run_id, "runner-1", at(0, 1))
        self.assertEqual(self.read(granted_runs), [mine])

    def test_given_up(self) -> None:
        """It is lost with the reason, in the ledger, in the events and in the row of its job."""
        self.now += MINUTE
        self.assertEqual(len(self.lose(self.run_in_hand)), 1)
        self.assertEqual(self.state(), ("lost", "its runner is gone", True, False))
        row = self.run_row(self.run_in_hand)
        self.assertEqual((row["ended_at"], row["recorded_at"]), (self.now, self.now))
        self.assertEqual([row["type"] for row in self.rows(events)], ["starting", "lost"])
        self.assertEqual(self.row(jobs)["last_run_status"], "failed")
        self.assertEqual(self.read(granted_runs), [])

    def test_twice(self) -> None:
        """Two results daemons that conclude the same leave the same rows as one."""
        self.lose(self.run_in_hand)
        before = self.rows(runs), self.rows(events)
        self.now += MINUTE
        self.assertEqual(self.lose(self.run_in_hand), [])
        self.assertEqual((self.rows(runs), self.rows(events)), before)

    def test_ended_meanwhile(self) -> None:
        """What has ended in the meantime is not lost."""
        end = report(
            Report.FINISHED, self.run_in_hand.run_id, self.run_in_hand.job_id, self.now, return_code=0
        )
        self.do(record_reports, [end])
        self.assertEqual(self.lose(self.run_in_hand), [])
        self.assertEqual(self.state()[0], "succeeded")

    def test_of_another_runner(self) -> None:
        """Only the runner that was granted the run can lose it."""
        self.assertEqual(self.lose(self.run_in_hand, "runner-2"), [])
        self.assertEqual(self.state()[0], "running")

    def test_heard_by_another_daemon(self) -> None:
        """A silence is none when another results daemon hears the runner; what it says itself counts."""
        for status in (RunnerStatus.UP, RunnerStatus.DRAINING):
            self.hear(self.heartbeat(status=status))
            self.assertEqual(self.lose(self.run_in_hand), [])
        self.assertEqual(len(self.lose(self.run_in_hand, abandoned=False)), 1)
        self.assertEqual(self.state(), ("lost", "its runner is gone", False, False))

    def test_unknown_run(self) -> None:
        """A run that is not there is no loss, and holds up no other."""
        unknown = Loss("e" * 32, "runner-1", "gone", abandoned=True)
        mine = Loss(self.run_in_hand.run_id, "runner-1", "gone", abandoned=True)
        self.assertEqual(self.do(lose_runs, [unknown, mine]), [mine])

    def test_won_back(self) -> None:
        """Its runner, and no other, wins it back by what it says afterwards; then it ends like any other."""
        self.lose(self.run_in_hand)
        run_id = self.run_in_hand.run_id
        held = "runner-1", self.now
        self.assertEqual(self.do(win_back_runs, {run_id: ("runner-2", self.now), "e" * 32: held}), [])
        self.assertEqual(self.do(win_back_runs, {run_id: ("runner-1", self.now - MINUTE)}), [])
        self.assertEqual(self.state()[0], "lost")
        self.assertEqual(self.do(win_back_runs, {run_id: held}), [])
        self.assertEqual(self.state(), ("running", None, False, False))
        end = report(Report.FINISHED, run_id, self.run_in_hand.job_id, self.now, return_code=3)
        self.do(record_reports, [end])
        self.assertEqual(self.state()[0], "failed")


class RerunTests(RunnersCase):
    """A run whose job asks for another attempt."""

    def setUp(self) -> None:
        super().setUp()
        self.run_in_hand = self.start_run(on_lost=OnLost.RERUN)

    def test_next_attempt(self) -> None:
        """The slot has another row at once, which is published, and the lost one stays as it is."""
        self.lose(self.run_in_hand)
        first, second = self.rows(runs)
        self.assertEqual((first["status"], first["superseded"]), ("lost", True))
        self.assertEqual((second["status"], second["attempt"], second["slot"]), ("queued", 2, first["slot"]))
        self.assertEqual(second["previous_run_id"], first["run_id"])
        (published,) = self.do(claim_unpublished, 10)
        self.assertEqual((published.run_id, published.attempt), (second["run_id"], 2))
        self.assertEqual(self.lose(self.run_in_hand), [])
        self.assertEqual(len(self.rows(runs)), 2)

    def test_too_late(self) -> None:
        """Then its runner does not win it back, and is named, as it has to end it."""
        self.lose(self.run_in_hand)
        run_id = self.run_in_hand.run_id
        self.assertEqual(self.do(win_back_runs, {run_id: ("runner-1", self.now)}), [run_id])
        self.assertEqual(self.row(runs, attempt=1)["status"], "lost")

    def test_removed_job(self) -> None:
        """A job that was removed meanwhile is not tried again."""
        self.put()
        self.lose(self.run_in_hand)
        self.assertEqual([row["status"] for row in self.rows(runs)], ["lost"])

    def test_host_that_may_be_running_it(self) -> None:
        """As long as a runner of that home is there, the next attempt does not start, anywhere."""
        self.hear(self.heartbeat())
        self.fall_silent()
        self.lose(self.run_in_hand)
        again = self.row(runs, attempt=2)
        self.hear(self.heartbeat(), self.heartbeat("runner-2", home="b" * 32))
        self.assertFalse(self.grant(again["run_id"], again["job_id"], "runner-2"))
        self.assertEqual(self.row(runs, attempt=2)["status"], "queued")
        ended = report(
            Report.LOST, self.run_in_hand.run_id, self.run_in_hand.job_id, self.now, reason="it is ended"
        )
        self.do(record_reports, [ended])
        self.assertTrue(self.grant(again["run_id"], again["job_id"], "runner-2"))

    def test_other_homes(self) -> None:
        """Where nobody of that home is, it starts, once it is known of what home the runner is that asks."""
        self.hear(self.heartbeat())
        self.fall_silent()
        self.lose(self.run_in_hand)
        again = self.row(runs, attempt=2)
        self.assertFalse(self.grant(again["run_id"], again["job_id"], "runner-2"))
        self.hear(self.heartbeat("runner-2", home="b" * 32))
        self.assertTrue(self.grant(again["run_id"], again["job_id"], "runner-2"))
