"""Rules that the database decides, at the claim and at the start, on any database."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from cronq.database.jobs import request_run
from cronq.database.ledger import record_reports
from cronq.database.limits import release_all
from cronq.database.outbox import claim_unpublished
from cronq.database.reading.auditing import Audit, Question
from cronq.database.tables import events, jobs, orders, runs
from cronq.domain.findings import Finding
from cronq.domain.grants import Grant
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.rules import Overlap, Rules
from tests.database.store import StoreCase, at, job, report


class RulingCase(StoreCase):
    """Jobs with rules, and a runner that asks and reports."""

    def ruled(self, name: str = "job", **rules: Any) -> None:
        """A category of one job, which has a slot each minute."""
        self.put(job(name, rules=Rules(**rules)))

    def claim_at(self, hour: int, minute: int) -> list[str]:
        """Claim what is due at that time; gives the run ids that are to be published."""
        self.now = at(hour, minute)
        return [run.run_id for run in self.claim().publications]

    def ask(self, run_id: str, token: str = "1" * 32) -> Grant:
        """A runner asks to start a run."""
        (answer,) = self.do(record_reports, [self.request(run_id, token)])
        assert answer is not None
        return answer

    def request(self, run_id: str, token: str = "1" * 32) -> ResultMessage:
        job_id = self.row(runs, run_id=run_id)["job_id"]
        return report(
            Report.STARTING, run_id, job_id, self.now, start_time=self.now, token=token, runner="runner-1"
        )

    def end(self, run_id: str, code: int = 0) -> None:
        """The runner reports the end."""
        job_id = self.row(runs, run_id=run_id)["job_id"]
        ended = report(
            Report.FINISHED, run_id, job_id, self.now, return_code=code, run_time=1.0, runner="runner-1"
        )
        self.do(record_reports, [ended])

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.rows(runs)]

    def audit(self, since: datetime | None = None) -> list[str]:
        """What an audit finds; when that is nothing, its totals add up."""
        audit, found = Audit(Question(since)), list[Finding]()
        while not audit.finished:
            found += self.read(audit.step)
        self.totals = audit.totals
        if not found:
            self.assertEqual(self.totals.rows_without_slot, 0, self.totals.in_words())
        return list(map(str, found))

    def published(self) -> list[str]:
        """What is to be published again, or at last."""
        return [run.run_id for run in self.do(claim_unpublished, 100)]


class OverlapTests(RulingCase):
    """Runs that would overlap."""

    def test_skip(self) -> None:
        """While one is open, be it queued or running, the next slots are skipped."""
        self.ruled(overlap=Overlap.SKIP)
        (first,) = self.claim_at(0, 1)
        self.assertEqual(self.claim_at(0, 2), [])
        self.ask(first)
        self.assertEqual(self.claim_at(0, 3), [])
        self.end(first)
        self.assertEqual(len(self.claim_at(0, 4)), 1)
        self.assertEqual(self.statuses(), ["succeeded", "skipped", "skipped", "queued"])
        row = self.rows(runs)[1]
        self.assertEqual(row["reason"], "the run for 2026-01-01 00:01:00 UTC had not ended")
        self.assertEqual((row["recorded_at"], row["publish_after"]), (at(0, 2), None))

    def test_slot_and_hand_at_once(self) -> None:
        """Of two that are recorded together, the second is decided on with the first in mind."""
        for overlap, statuses in (
            (Overlap.SKIP, ["queued", "skipped"]),
            (Overlap.QUEUE, ["queued", "queued"]),
            (Overlap.REPLACE, ["queued", "skipped"]),
        ):
            with self.subTest(overlap):
                self.now = at(0)
                self.put(job(overlap, rules=Rules(overlap=overlap)), category=overlap)
                self.do(request_run, self.row(jobs, name=overlap)["id"])
                self.assertEqual(len(self.claim_at(0, 1)), 1)
                rows = self.rows(runs, job_id=self.row(jobs, name=overlap)["id"])
                self.assertEqual(sorted(row["status"] for row in rows), statuses)

    def test_waits_and_goes(self) -> None:
        """What waits is not published until the end of the other, and then at once."""
        self.ruled(overlap=Overlap.QUEUE)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.assertEqual(self.claim_at(0, 2), [])
        self.now = at(5)
        self.assertEqual(self.published(), [])
        self.end(first)
        second = self.rows(runs)[1]
        self.assertEqual(
            (second["publish_after"], second["not_before"], second["reason"]), (at(5), at(5), None)
        )
        self.assertEqual(self.published(), [second["run_id"]])

    def test_many_wait(self) -> None:
        """Of many that wait as many go as there is room for, the oldest first."""
        self.ruled(max_running=2)
        started = [run_id for minute in (1, 2) for run_id in self.claim_at(0, minute)]
        for run_id in started:
            self.ask(run_id)
        for minute in range(3, 9):
            self.assertEqual(self.claim_at(0, minute), [])
        waiting = [row["run_id"] for row in self.rows(runs, status="queued")]
        self.end(started[0])
        self.assertEqual(self.published(), waiting[:1])
        self.end(started[1])
        self.now = at(0, 20)
        self.assertEqual(self.published(), waiting[:2])

    def test_let_go_by_nobody(self) -> None:
        """When whoever ended the run did not let go what waited for it, the next look does."""
        self.ruled(overlap=Overlap.QUEUE)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.claim_at(0, 2)
        self.execute(update(runs).where(runs.c.run_id == first).values(status="unroutable"))
        self.assertEqual(self.published(), [self.rows(runs)[1]["run_id"]])

    def test_job_that_is_gone(self) -> None:
        """What waits for a job whose row 0.27 has deleted is let go, and ended."""
        self.ruled(overlap=Overlap.QUEUE)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.claim_at(0, 2)
        self.execute(events.delete())
        self.execute(jobs.delete())
        self.do(release_all)
        self.published()
        self.assertEqual(self.statuses()[1], "skipped")

    def test_refused_at_the_start(self) -> None:
        """A run that was published before the rule was there is decided on when it asks."""
        self.ruled()
        first, second, third = (run_id for minute in (1, 2, 3) for run_id in self.claim_at(0, minute))
        self.assertTrue(self.ask(first).granted)
        self.ruled(overlap=Overlap.QUEUE)
        answer = self.ask(second, "2" * 32)
        self.assertFalse(answer.granted)
        self.assertEqual(
            answer.reason, "it waits until the run for 2026-01-01 00:01:00 UTC on host.example has ended"
        )
        self.assertIsNone(self.row(runs, run_id=second)["publish_after"])
        self.ruled(overlap=Overlap.SKIP)
        answer = self.ask(third, "3" * 32)
        self.assertEqual((answer.granted, self.statuses()), (False, ["running", "queued", "skipped"]))
        self.end(first)
        self.assertIn(second, self.published())

    def test_both_ask_at_once(self) -> None:
        """Of two requests in one batch one is granted."""
        self.ruled()
        two = [run_id for minute in (1, 2) for run_id in self.claim_at(0, minute)]
        self.ruled(max_running=1)
        requests = [self.request(run_id, str(n) * 32) for n, run_id in enumerate(two)]
        answers = self.do(record_reports, requests)
        self.assertEqual([answer.granted for answer in answers if answer], [True, False])
        again = self.do(record_reports, requests[:1])
        self.assertEqual([answer.granted for answer in again if answer], [True])

    def test_end_and_request_at_once(self) -> None:
        """The end of one makes room for the other in the same batch."""
        self.ruled()
        first, second = [run_id for minute in (1, 2) for run_id in self.claim_at(0, minute)]
        self.ask(first)
        self.ruled(max_running=1)
        job_id = self.row(jobs)["id"]
        ended = report(
            Report.FINISHED, first, job_id, self.now, return_code=0, run_time=1.0, runner="runner-1"
        )
        _, answer = self.do(record_reports, [ended, self.request(second)])
        assert answer is not None
        self.assertTrue(answer.granted)

    def test_replace(self) -> None:
        """What runs is ordered to be killed, once; what is queued makes way."""
        self.ruled(overlap=Overlap.REPLACE)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        for minute in (2, 3, 4):
            self.assertEqual(self.claim_at(0, minute), [])
        self.assertEqual(self.statuses(), ["running", "skipped", "skipped", "queued"])
        order = self.row(orders)
        self.assertEqual((order["kind"], order["run_id"], order["runner"]), ("kill", first, "runner-1"))
        self.assertEqual(order["reason"], "replaced by the run for 2026-01-01 00:02:00 UTC")
        self.end(first, 143)
        self.assertEqual(self.published(), [self.rows(runs)[3]["run_id"]])

    def test_many_jobs(self) -> None:
        """Jobs do not count for one another, however many are claimed at once."""
        self.put(*(job(str(n), rules=Rules(overlap=Overlap.SKIP)) for n in range(20)))
        self.assertEqual(len(self.claim_at(0, 1)), 20)
        self.assertEqual(self.claim_at(0, 2), [])
        self.assertEqual(self.statuses(), ["queued"] * 20 + ["skipped"] * 20)

    def test_forgotten_by_0_27(self) -> None:
        """What a runner of 0.27 has begun, and never ended, counts for a day."""
        self.ruled(overlap=Overlap.SKIP)
        old = report(Report.STARTING, "f" * 32, self.row(jobs)["id"], at(0, 0))
        self.do(record_reports, [old])
        self.assertEqual(self.claim_at(0, 1), [])
        self.now = at(0, 2).replace(day=2)
        self.assertEqual(len(self.claim().publications), 1)


class AttemptTests(RulingCase):
    """Attempts after the first."""

    def test_waits_for_its_time(self) -> None:
        """The next attempt is published when its time has come, and not before."""
        self.ruled(retries=1)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.end(first, 3)
        before, after = self.rows(runs)
        self.assertEqual((before["superseded"], after["previous_run_id"], after["attempt"]), (True, first, 2))
        self.assertEqual((after["not_before"], after["slot"]), (at(0, 2), at(0, 1)))
        self.assertEqual(self.published(), [])
        self.now = at(0, 2)
        self.assertEqual(self.published(), [after["run_id"]])

    def test_reported_twice(self) -> None:
        """The same end again makes no other attempt."""
        self.ruled(retries=5)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.end(first, 3)
        self.end(first, 3)
        self.assertEqual(self.statuses(), ["failed", "queued"])

    def test_reason_is_gone_when_it_runs(self) -> None:
        """What it waited for says nothing any more once it has started."""
        self.ruled(retries=1)
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.end(first, 3)
        self.now = at(0, 2)
        (second,) = self.published()
        self.assertIn("attempt 2 of at most 2", self.row(runs, run_id=second)["reason"])
        self.ask(second)
        self.assertIsNone(self.row(runs, run_id=second)["reason"])
