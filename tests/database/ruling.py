"""Rules that the database decides, at the claim and at the start, on any database."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from cronq.database.jobs import request_run
from cronq.database.ledger import record_reports
from cronq.database.limits import release_all
from cronq.database.outbox import claim_unpublished
from cronq.database.pausing import pause_job, resume_job, skip_next, unskip_next
from cronq.database.reading.auditing import Audit, Question
from cronq.database.tables import events, jobs, orders, runs
from cronq.domain.findings import Finding
from cronq.domain.messages import Grant, Report, ResultMessage
from cronq.domain.rules import CatchUp, Overlap, Rules, decode_rules
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


class PauseTests(RulingCase):
    """Slots that people, or documents, want skipped."""

    def setUp(self) -> None:
        super().setUp()
        self.ruled()
        self.job_id = self.row(jobs)["id"]

    def pause(self, until: datetime | None = None, reason: str = "") -> None:
        self.assertTrue(self.do(pause_job, self.job_id, until, reason))

    def test_one_row(self) -> None:
        """A pause is one row, which grows from slot to slot and says why."""
        self.pause(at(2), "we move")
        for minute in (1, 2, 3, 7):
            self.assertEqual(self.claim_at(0, minute), [])
        self.assertEqual(self.ledger(), [("skipped", at(0, 1), at(0, 7), 7)])
        self.assertEqual(self.row(runs)["reason"], "paused until 2026-01-01 02:00:00 UTC: we move")

    def test_ends_by_itself(self) -> None:
        """At its end the job runs again, the slot of that instant included; the row is left as it was."""
        self.pause(at(0, 3))
        for minute in (1, 2, 3, 4):
            self.claim_at(0, minute)
        self.assertEqual(
            self.ledger(),
            [
                ("skipped", at(0, 1), at(0, 2), 2),
                ("queued", at(0, 3), None, 1),
                ("queued", at(0, 4), None, 1),
            ],
        )
        self.assertIsNone(self.row(jobs)["range_run_id"])

    def test_resumed(self) -> None:
        """What fell into it is skipped until it was ended, and a second pause is another row."""
        self.pause()
        self.now = at(0, 5, 30)
        self.assertTrue(self.do(resume_job, self.job_id))
        self.assertEqual(len(self.claim_at(0, 6)), 1)
        self.now = at(0, 6, 30)
        self.pause()
        self.claim_at(0, 8)
        self.assertEqual(
            self.ledger(),
            [
                ("skipped", at(0, 1), at(0, 5), 5),
                ("queued", at(0, 6), None, 1),
                ("skipped", at(0, 7), at(0, 8), 2),
            ],
        )

    def test_due_before(self) -> None:
        """What was due before somebody paused runs, if nobody had taken it."""
        self.now = at(0, 1, 30)
        self.pause()
        self.assertEqual(self.ledger(), [("queued", at(0, 1), None, 1)])
        self.assertEqual(len(self.published()), 1)

    def test_refused_at_the_start(self) -> None:
        """But not if it has not started by the time that the job is paused; a run by hand does start."""
        (slot,) = self.claim_at(0, 1)
        self.do(request_run, self.job_id)
        (by_hand,) = self.claim_at(0, 1)
        self.pause(None, "we move")
        answer = self.ask(slot)
        self.assertEqual((answer.granted, answer.reason), (False, "paused: we move"))
        self.assertEqual(self.row(runs, run_id=slot)["status"], "skipped")
        self.assertTrue(self.ask(by_hand).granted)

    def test_other_reason(self) -> None:
        """When the reason is another one from now on, so is the row."""
        self.pause(None, "a")
        self.claim_at(0, 2)
        self.pause(None, "b")
        self.claim_at(0, 4)
        self.assertEqual([row["slots"] for row in self.rows(runs)], [2, 2])

    def test_not_enabled(self) -> None:
        """A document can do it, too; changed, the job goes on from there."""
        self.now = at(0, 1, 30)
        self.ruled(enabled=False, pause_reason="not ready")
        self.claim_at(0, 3)
        self.assertEqual(self.rows(runs)[-1]["reason"], "not enabled: not ready")
        self.now = at(0, 3, 30)
        self.ruled(paused_until=at(0, 6))
        for minute in (4, 5, 6):
            self.claim_at(0, minute)
        self.assertEqual(
            self.ledger(),
            [
                ("queued", at(0, 1), None, 1),
                ("skipped", at(0, 2), at(0, 3), 2),
                ("skipped", at(0, 4), at(0, 5), 2),
                ("queued", at(0, 6), None, 1),
            ],
        )
        self.assertEqual(self.rows(runs)[2]["reason"], "paused by its document until 2026-01-01 00:06:00 UTC")

    def test_pause_and_document(self) -> None:
        """What people have paused stays so when its document is replaced, and is over when it is removed."""
        self.pause(None, "we move")
        self.ruled(retries=1)
        self.assertEqual(self.claim_at(0, 1), [])
        self.put()
        self.now = at(0, 1, 30)
        self.ruled()
        self.assertEqual(len(self.claim_at(0, 2)), 1)

    def test_skip_next(self) -> None:
        """The next slot is skipped, once, however often that is asked for."""
        self.assertEqual([self.do(skip_next, self.job_id) for _ in range(3)], [at(0, 1)] * 3)
        for minute in (1, 2):
            self.claim_at(0, minute)
        self.assertEqual(self.ledger(), [("skipped", at(0, 1), at(0, 1), 1), ("queued", at(0, 2), None, 1)])
        self.assertIsNone(self.row(jobs)["skip_slot"])

    def test_skip_next_called_off(self) -> None:
        """It can be taken back."""
        self.do(skip_next, self.job_id)
        self.assertTrue(self.do(unskip_next, self.job_id))
        self.assertEqual(len(self.claim_at(0, 1)), 1)

    def test_no_such_job(self) -> None:
        """There is nothing to ask of a job that is gone."""
        self.put()
        for answer in (
            self.do(pause_job, self.job_id, None, ""),
            self.do(resume_job, self.job_id),
            self.do(skip_next, self.job_id),
            self.do(unskip_next, self.job_id),
            self.do(pause_job, 4711, None, ""),
        ):
            self.assertFalse(answer)

    def test_audit(self) -> None:
        """An audit knows the row that grows, and finds nothing."""
        self.pause()
        for minute in (1, 2, 3):
            self.claim_at(0, minute)
            self.assertEqual(self.audit(), [])

    def audit(self) -> list[str]:
        audit, found = Audit(Question()), list[Finding]()
        while not audit.finished:
            found += self.read(audit.step)
        return list(map(str, found))


class CatchUpTests(RulingCase):
    """Slots for which no injector was there."""

    def test_all(self) -> None:
        """Each has its run, the oldest first, and those beyond the limit are one row."""
        self.ruled(catch_up=CatchUp.ALL, catch_up_limit=3)
        self.assertEqual(len(self.claim_at(0, 5)), 3)
        self.assertEqual(
            self.ledger(),
            [
                ("missed", at(0, 1), at(0, 2), 2),
                *(("queued", at(0, minute), None, 1) for minute in (3, 4, 5)),
            ],
        )

    def test_pause_during_catch_up(self) -> None:
        """What was caught up and has not started is skipped when the job is paused."""
        self.ruled(catch_up=CatchUp.ALL, max_running=1)
        (first,) = self.claim_at(0, 3)
        self.assertTrue(self.ask(first).granted)
        self.do(pause_job, self.row(jobs)["id"], None, "")
        self.end(first)
        (second,) = self.published()
        self.ask(second)
        (third,) = self.published()
        self.ask(third)
        self.assertEqual(self.statuses(), ["succeeded", "skipped", "skipped"])

    def test_many_rows(self) -> None:
        """What one transaction does is bounded; the rest is for the next one, and nothing is lost."""
        rules = Rules(catch_up=CatchUp.ALL, catch_up_limit=1000)
        self.put(*(job(str(n), rules=rules) for n in range(8)))
        self.now = at(16, 40)
        first, second = self.claim(), self.claim()
        self.assertEqual((len(first.publications), first.full), (5000, True))
        self.assertEqual((len(second.publications), second.full), (3000, False))

    def test_none(self) -> None:
        """Nothing is caught up."""
        self.put(job(schedule="R/2026-01-01T01:00:00/PT1H", rules=Rules(catch_up=CatchUp.NONE)))
        self.assertEqual(self.claim_at(2, 2), [])
        self.assertEqual(self.ledger(), [("missed", at(1), at(2), 2)])
        self.assertEqual(len(self.claim_at(3, 0)), 1)

    def test_deadline(self) -> None:
        """Too late for the claim, or for the start: it is missed, and says so."""
        self.put(job(schedule="R/2026-01-01T01:00:00/PT1H", rules=Rules(deadline=timedelta(minutes=5))))
        self.assertEqual(self.claim_at(1, 6), [])
        (run_id,) = self.claim_at(2, 1)
        self.now = at(2, 5, 1)
        answer = self.ask(run_id)
        self.assertFalse(answer.granted)
        self.assertEqual(self.statuses(), ["missed", "missed"])
        late = "it had not started 5 minutes after it was due, which is its deadline"
        self.assertEqual([row["reason"] for row in self.rows(runs)], [late, late])


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
