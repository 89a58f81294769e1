"""What comes first, and what comes after other jobs, on any database."""

from datetime import datetime
from typing import Any

from cronq.database.backfilling import Wanted, begin_backfill, go_on
from cronq.database.ledger import record_reports
from cronq.database.outbox import claim_unpublished
from cronq.database.pausing import pause_job
from cronq.database.tables import jobs, orders, runs
from cronq.domain.backfilling import Order
from cronq.domain.jobs import JobDefinition
from cronq.domain.messages import Report
from cronq.domain.rules import AfterSame, Overlap, Rules, decode_rules
from tests.database.ruling import RulingCase
from tests.database.store import at, job, report


class PriorityTests(RulingCase):
    """What comes first when more is due than fits."""

    def names(self, limit: int) -> list[str]:
        return [run.name for run in self.claim(limit).publications]

    def test_claims(self) -> None:
        """What has a priority is claimed before what has waited longer, the highest first."""
        self.put(
            job("old", "R/2026-01-01T00:01:00/PT1H"),
            job("low", "R/2026-01-01T00:02:00/PT1H", rules=Rules(priority=1)),
            job("high", "R/2026-01-01T00:03:00/PT1H", rules=Rules(priority=9)),
        )
        self.now = at(0, 30)
        self.assertEqual([self.names(1), self.names(1), self.names(1)], [["high", "old"], ["low"], []])

    def test_changed(self) -> None:
        """A document that changes it changes it for the next claim."""
        self.put(job("a"), job("b", rules=Rules(priority=3)))
        self.put(job("a", rules=Rules(priority=5)), job("b"))
        self.now = at(0, 1)
        self.assertEqual(self.names(9), ["a", "b"])

    def test_published_again(self) -> None:
        """Whoever publishes a run later knows its priority, too."""
        self.put(job(rules=Rules(priority=7)))
        self.claim_at(0, 1)
        self.now = at(0, 2)
        (run,) = self.do(claim_unpublished, 9)
        self.assertEqual(decode_rules(run.rules).priority, 7)


class AfterTests(RulingCase):
    """Jobs that run after others."""

    def chain(self, **rules: Any) -> None:
        """Two jobs at the same time, and one after both."""
        last = JobDefinition("last", None, "true", rules=Rules(after=("a", "b"), **rules))
        self.put(job("a", rules=Rules(retries=1)), job("b"), last)

    def succeed(self, run_id: str, code: int = 0) -> None:
        self.ask(run_id)
        self.end(run_id, code)

    def claim_both(self, minute: int) -> dict[str, str]:
        self.now = at(0, minute)
        return {run.name: run.run_id for run in self.claim().publications}

    def last(self) -> list[tuple[Any, ...]]:
        return [
            (row["slot"], row["status"], row["cause"])
            for row in self.rows(runs, job_id=self.row(jobs, name="last")["id"])
        ]

    def test_same_slot(self) -> None:
        """It runs once all have succeeded for the slot, for the same slot, and at once."""
        self.chain()
        both = self.claim_both(1)
        self.succeed(both["a"])
        self.assertEqual(self.last(), [])
        self.succeed(both["b"])
        self.assertEqual(self.last(), [(at(0, 1), "queued", "after")])
        (run,) = self.do(claim_unpublished, 9)
        self.assertEqual((run.name, run.slot, run.attempt), ("last", at(0, 1), 1))

    def test_together(self) -> None:
        """In one batch it is the same, and reports that come again make no other run."""
        self.chain()
        both = self.claim_both(1)
        for run_id in both.values():
            self.ask(run_id)
        job_ids = {row["run_id"]: row["job_id"] for row in self.rows(runs)}
        ends = [
            report(
                Report.FINISHED,
                run_id,
                job_ids[run_id],
                self.now,
                return_code=0,
                run_time=1.0,
                runner="runner-1",
            )
            for run_id in both.values()
        ]
        for _ in range(2):
            self.do(record_reports, ends)
        self.assertEqual(len(self.last()), 1)

    def test_other_slots(self) -> None:
        """Successes for different slots are nothing."""
        self.chain()
        first, second = self.claim_both(1), self.claim_both(2)
        self.succeed(first["a"])
        self.succeed(second["b"])
        self.assertEqual(self.last(), [])

    def test_same_day(self) -> None:
        """On the same day they are enough, once."""
        self.chain(after_same=AfterSame.DAY)
        first, second = self.claim_both(1), self.claim_both(2)
        self.succeed(first["a"])
        self.succeed(second["b"])
        self.succeed(second["a"])
        self.assertEqual(self.last(), [(at(0, 0), "queued", "after")])

    def test_failure(self) -> None:
        """After a failure it does not run, but after the attempt that makes good for it."""
        self.chain()
        both = self.claim_both(1)
        self.succeed(both["b"])
        self.succeed(both["a"], code=1)
        self.assertEqual(self.last(), [])
        self.now = at(0, 3)
        (again,) = [run.run_id for run in self.do(claim_unpublished, 9) if run.attempt == 2]
        self.succeed(again)
        self.assertEqual(self.last(), [(at(0, 1), "queued", "after")])

    def test_paused(self) -> None:
        """Paused, it is skipped, and says why."""
        self.chain()
        self.do(pause_job, self.row(jobs, name="last")["id"], None, "we move")
        for run_id in self.claim_both(1).values():
            self.succeed(run_id)
        self.assertEqual(self.last(), [(at(0, 1), "skipped", "after")])
        self.assertEqual(self.rows(runs)[-1]["reason"], "paused: we move")

    def test_overlap(self) -> None:
        """Its other rules hold as ever."""
        self.chain(overlap=Overlap.SKIP)
        for minute in (1, 2):
            for run_id in self.claim_both(minute).values():
                self.succeed(run_id)
        self.assertEqual([row[1] for row in self.last()], ["queued", "skipped"])

    def test_same_day_in_progress(self) -> None:
        """Further successes of the same day do nothing to the run that they have led to."""
        self.chain(after_same=AfterSame.DAY, overlap=Overlap.REPLACE)
        for run_id in self.claim_both(1).values():
            self.succeed(run_id)
        self.ask(self.rows(runs)[-1]["run_id"])
        for run_id in self.claim_both(2).values():
            self.succeed(run_id)
        self.assertEqual((self.last(), self.rows(orders)), ([(at(0, 0), "running", "after")], []))

    def test_slots_of_its_own(self) -> None:
        """Slots that its own schedule has, or has had, are left to that, be they due, missed or to come."""
        self.put(job("a"), job("b", rules=Rules(after=("a",))))
        self.now = at(0, 3)
        a, b = (row["id"] for row in self.rows(jobs))
        self.claim()
        for minute in (1, 2, 3):
            self.fill(a, at(0, minute))
        self.assertEqual([row["cause"] for row in self.rows(runs, job_id=b)], [None, None])
        self.put(job("a"), JobDefinition("b", None, "true", rules=Rules(after=("a",))))
        self.now = at(0, 4)
        self.claim()
        for minute in (2, 4):
            self.fill(a, at(0, minute))
        rows = self.rows(runs, job_id=b)
        self.assertEqual([(row["slot"], row["cause"]) for row in rows[2:]], [(at(0, 4), "after")])
        self.assertEqual(self.audit(), [])

    def fill(self, job_id: int, slot: datetime) -> None:
        """A run of that job and slot succeeds, if need be by a backfill."""
        self.do(begin_backfill, job_id, Wanted(slot, slot, Order.OLDEST, 1, ""), 1)
        self.do(go_on)
        for row in self.rows(runs, job_id=job_id, slot=slot, status="queued"):
            self.succeed(row["run_id"])

    def test_nobody_follows(self) -> None:
        """Once the document says so no more, nothing follows."""
        self.chain()
        self.assertEqual([row["followed"] for row in self.rows(jobs)], [True, True, False])
        self.put(job("a"), job("b"))
        self.assertEqual([row["followed"] for row in self.rows(jobs)], [False, False, False])
        for run_id in self.claim_both(1).values():
            self.succeed(run_id)
        self.assertEqual(self.last(), [])

    def drop(self, **rules: Any) -> None:
        """The last one is to wait for the first one only, and the other one is gone."""
        last = JobDefinition("last", None, "true", rules=Rules(after=("a",), **rules))
        self.put(job("a", rules=Rules(retries=1)), last)

    def test_waits_for_fewer(self) -> None:
        """What is waited for no more holds up nothing: the latest slot that the others have had follows."""
        self.chain()
        for minute in (1, 2):
            self.succeed(self.claim_both(minute)["a"])
        self.claim_both(3)
        self.drop()
        for _ in range(2):
            self.assertEqual(self.last(), [(at(0, 2), "queued", "after")])
            self.chain()
            self.drop()
        self.assertEqual(self.audit(), [])

    def test_waits_for_fewer_all_day(self) -> None:
        """The same with days, and under the other rules of the job."""
        self.chain(after_same=AfterSame.DAY)
        self.succeed(self.claim_both(1)["a"])
        self.do(pause_job, self.row(jobs, name="last")["id"], None, "we move")
        self.drop(after_same=AfterSame.DAY)
        self.assertEqual(self.last(), [(at(0, 0), "skipped", "after")])

    def test_waits_for_fewer_and_nothing_is_left(self) -> None:
        """What has run, what is older than a day, and what others have still to do is not made up for."""
        self.chain()
        both = self.claim_both(1)
        self.succeed(both["b"])
        self.drop()
        self.assertEqual(self.last(), [])
        self.succeed(both["a"])
        self.assertEqual(len(self.last()), 1)
        self.chain()
        self.succeed(self.claim_both(2)["a"])
        self.now = at(0, 3).replace(day=2)
        self.drop()
        self.assertEqual(len(self.last()), 1)

    def test_audit(self) -> None:
        """Runs for slots that no schedule knows are no findings, nor are their further attempts."""
        self.chain(retries=2)
        for run_id in self.claim_both(1).values():
            self.succeed(run_id)
        last = self.rows(runs)[-1]["run_id"]
        self.ask(last)
        self.end(last, 1)
        self.assertEqual([row[1] for row in self.last()], ["failed", "queued"])
        self.assertEqual(self.audit(), [])
