"""Runs past their deadline while others of their job are in their way, on any database."""

from datetime import timedelta
from typing import Any

from cronq.database.by_hand import make_run
from cronq.database.tables import jobs, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.requests import RunRequest
from cronq.domain.rules import Overlap, Rules
from tests.database.ruling import RulingCase
from tests.database.store import at, job

LATE = "it had not started 2 minutes after it was due, which is its deadline"


class DeadlineTests(RulingCase):
    """A job with a slot each minute, and a deadline of two."""

    def begin(self, **rules: Any) -> None:
        """The first slot runs, and the second one waits for it."""
        self.ruled(deadline=timedelta(minutes=2), **rules)
        (self.first,) = self.claim_at(0, 1)
        self.ask(self.first)
        self.assertEqual(self.claim_at(0, 2), [])

    def reasons(self) -> list[str | None]:
        return [row["reason"] for row in self.rows(runs, status="missed")]

    def test_place_in_the_queue(self) -> None:
        """What is too late gives the only place in the queue to the next slot."""
        self.begin(overlap=Overlap.QUEUE)
        self.claim_at(0, 3)
        self.claim_at(0, 4)
        self.assertEqual(self.statuses(), ["running", "queued", "skipped", "skipped"])
        self.claim_at(0, 5)
        self.assertEqual(self.statuses(), ["running", "missed", "skipped", "skipped", "queued"])
        self.assertEqual(self.reasons(), [LATE])
        self.end(self.first)
        self.assertEqual(self.published(), [self.rows(runs)[4]["run_id"]])
        self.assertEqual(self.audit(), [])

    def test_nobody_asked(self) -> None:
        """Nor does one that was published, and was not asked for in time, keep a slot from running."""
        self.ruled(deadline=timedelta(minutes=2), overlap=Overlap.SKIP)
        (first,) = self.claim_at(0, 1)
        self.assertEqual(self.claim_at(0, 3), [])
        (latest,) = self.claim_at(0, 4)
        self.assertEqual(self.statuses(), ["missed", "missed", "skipped", "queued"])
        self.assertFalse(self.ask(first).granted)
        self.assertTrue(self.ask(latest, "2" * 32).granted)

    def test_at_the_end_of_the_other(self) -> None:
        """When there is room, those for which it is too late are passed over."""
        self.begin(max_running=1)
        for minute in (3, 4):
            self.claim_at(0, minute)
        self.now = at(0, 5)
        self.end(self.first)
        self.assertEqual(self.statuses(), ["succeeded", "missed", "queued", "queued"])
        self.assertEqual(self.published(), [self.rows(runs)[2]["run_id"]])

    def test_seen_without_an_end(self) -> None:
        """It is missed as soon as the deadline has passed, though nothing ends and nothing is due."""
        self.begin(max_running=1)
        self.now = at(0, 4)
        self.assertEqual((self.published(), self.statuses()), ([], ["running", "queued"]))
        self.now += timedelta(seconds=1)
        self.assertEqual((self.published(), self.statuses()), ([], ["running", "missed"]))
        row = self.rows(runs)[1]
        self.assertEqual((row["ended_at"], row["recorded_at"]), (self.now, self.now))

    def test_those_without_one(self) -> None:
        """A run by hand has no deadline, and waits as long as it takes."""
        self.begin(max_running=1)
        self.do(make_run, self.row(jobs)["id"], RunRequest("somebody", "why"))
        self.now = at(9)
        self.assertEqual((self.published(), self.statuses()), ([], ["running", "missed", "queued"]))


class FollowingDeadlineTests(RulingCase):
    """A job that runs after another one, and no later than two minutes after that."""

    def follow_at(self, minute: int) -> dict[str, Any]:
        """The first job succeeds at that time, long after its slot; gives the run that follows."""
        rules = Rules(after=("first",), deadline=timedelta(minutes=2), overlap=Overlap.QUEUE)
        self.put(job("first", "R1/2026-01-01T00:01:00/P1D"), JobDefinition("then", None, "true", rules=rules))
        (run_id,) = self.claim_at(0, 1)
        self.ask(run_id)
        self.now = at(0, minute)
        self.end(run_id)
        return dict(self.row(runs, cause="after"))

    def test_in_time(self) -> None:
        """Its time is counted from that success, however late its slot is by then."""
        run = self.follow_at(30)
        self.now = at(0, 32)
        self.assertTrue(self.ask(run["run_id"]).granted)

    def test_too_late(self) -> None:
        """After that it is missed, and says so."""
        run = self.follow_at(30)
        self.now = at(0, 32, 1)
        self.assertFalse(self.ask(run["run_id"]).granted)
        row = self.row(runs, run_id=run["run_id"])
        reason = (
            "it had not started 2 minutes after those that it runs after had succeeded, which is its deadline"
        )
        self.assertEqual((row["status"], row["reason"]), ("missed", reason))
        self.assertEqual(self.audit(), [])
