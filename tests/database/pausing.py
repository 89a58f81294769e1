"""Slots that are skipped, caught up or missed, on any database."""

from datetime import datetime, timedelta

from cronq.database.jobs import request_run
from cronq.database.pausing import Skip, pause_job, resume_job, skip_next, unskip_next
from cronq.database.tables import jobs, runs
from cronq.domain.rules import CatchUp, Rules
from tests.database.ruling import RulingCase
from tests.database.store import at, job


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
        skips = [self.do(skip_next, self.job_id) for _ in range(3)]
        self.assertEqual(skips, [Skip(at(0, 1)), Skip(at(0, 1), again=True), Skip(at(0, 1), again=True)])
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
            self.assertIsNone(answer)

    def test_audit(self) -> None:
        """An audit knows the row that grows, and finds nothing."""
        self.pause()
        for minute in (1, 2, 3):
            self.claim_at(0, minute)
            self.assertEqual(self.audit(), [])


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
