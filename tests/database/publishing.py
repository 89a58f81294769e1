"""Recorded runs on their way to the broker, on any database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from cronq.database.claims import PUBLISH_WITHIN
from cronq.database.ledger import record_reports
from cronq.database.outbox import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    claim_unpublished,
    forget_published,
    mark_published,
    mark_unroutable,
    pause_after,
)
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.jobs import Publication
from cronq.domain.messages import Report
from cronq.domain.rules import Rules
from tests.database.store import StoreCase, at, job, report

SECOND = timedelta(seconds=1)


class OutboxTests(StoreCase):
    """Runs that are published, confirmed, and published again."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a", command="echo a"), job("b", routing_key="slow"))
        self.now = at(0, 1)
        self.claimed = self.claim().publications

    def unpublished(self, limit: int = 100) -> list[Publication]:
        return self.do(claim_unpublished, limit)

    def again_after(self, run_ids: Sequence[str]) -> list[timedelta | None]:
        """How long from now the runs wait to be published again."""
        rows = [self.row(runs, run_id=run_id) for run_id in run_ids]
        return [row["publish_after"] and row["publish_after"] - self.now for row in rows]

    def test_the_claimer_comes_first(self) -> None:
        """Nobody else publishes a run while the injector that claimed it has time to."""
        self.assertEqual(self.unpublished(), [])
        self.now += (PUBLISH_WITHIN - 1) * SECOND
        self.assertEqual(self.unpublished(), [])

    def test_claimed_and_not_published(self) -> None:
        """When its injector has died, another one publishes the run as it was recorded."""
        self.now += PUBLISH_WITHIN * SECOND
        self.assertCountEqual(self.unpublished(), self.claimed)
        self.assertEqual(self.unpublished(), [], "each goes to one injector")
        self.now += PUBLISH_WITHIN * SECOND
        self.assertEqual(len(self.unpublished()), 2, "which may die as well")

    def test_limit_and_order(self) -> None:
        """The longest overdue goes first."""
        first = self.claimed[1].run_id
        self.execute(update(runs).where(runs.c.run_id == first).values(publish_after=at(0)))
        self.now += PUBLISH_WITHIN * SECOND
        self.assertEqual([run.run_id for run in self.unpublished(1)], [first])

    def test_confirmed(self) -> None:
        """The time of the first confirm is kept; the run waits longer and longer for a runner."""
        confirmed_at = self.now
        runs_in_hand = list(self.claimed)
        for count in range(1, 10):
            self.do(mark_published, runs_in_hand)
            row = self.row(runs, run_id=self.claimed[0].run_id)
            self.assertEqual((row["published_at"], row["publications"]), (confirmed_at, count))
            self.assertEqual(self.again_after([row["run_id"]]), [pause_after(count)])
            self.now = row["publish_after"] - SECOND
            self.assertEqual(self.unpublished(), [])
            self.now += SECOND
            runs_in_hand = self.unpublished()
            self.assertEqual([run.publications for run in runs_in_hand], [count, count])

    def test_pauses(self) -> None:
        """The pauses double from a minute to an hour and stay there."""
        pauses = [pause_after(count).total_seconds() for count in range(1, 40)]
        self.assertEqual(pauses[:7], [60, 120, 240, 480, 960, 1920, 3600])
        self.assertEqual((pauses[0], set(pauses[6:])), (FIRST_PAUSE, {LONGEST_PAUSE}))

    def test_different_counts_at_once(self) -> None:
        """Runs that were published once and five times are marked together, each by its own count."""
        first, second = self.claimed
        self.do(mark_published, [first, replace(second, publications=4)])
        self.assertEqual(self.again_after([first.run_id, second.run_id]), [pause_after(1), pause_after(5)])

    def test_started_before_the_confirm(self) -> None:
        """A confirm that comes after the start has nothing more to wait for."""
        first, second = self.claimed
        started = report(Report.STARTING, first.run_id, first.job_id, self.now, token="1" * 32)
        self.do(record_reports, [started])
        self.do(mark_published, self.claimed)
        self.assertEqual(self.again_after([first.run_id, second.run_id]), [None, pause_after(1)])
        self.assertEqual(self.row(runs, run_id=first.run_id)["status"], "running")
        self.now = at(9)
        self.assertEqual([run.run_id for run in self.unpublished()], [second.run_id])

    def test_refused_before_the_confirm(self) -> None:
        """What a runner asked for too early waits for others, and the confirm that comes after does not make
        it wait for that long.
        """
        running, late = self.claimed[0], self.claim_second()
        self.put(job("a", rules=Rules(max_running=1)), job("b", routing_key="slow"))
        self.tell(Report.STARTING, running, token="1" * 32)
        self.tell(Report.STARTING, late, token="2" * 32)
        self.do(mark_published, [running, late])
        self.assertEqual(self.again_after([late.run_id]), [None], "it waits")
        self.tell(Report.FINISHED, running, return_code=0, run_time=1.0)
        self.do(mark_published, [late])
        self.assertEqual(self.again_after([late.run_id]), [timedelta(0)], "it goes")
        (again,) = (run for run in self.unpublished() if run == replace(late, publications=1))
        self.do(mark_published, [again])
        self.assertEqual(self.again_after([late.run_id]), [pause_after(2)])

    def test_let_go(self) -> None:
        """However often a run was published before it had to wait, it is published again soon afterwards."""
        running, late = self.claimed[0], self.claim_second()
        self.put(job("a", rules=Rules(max_running=1)), job("b", routing_key="slow"))
        self.do(mark_published, [running, replace(late, publications=6)])
        self.tell(Report.STARTING, running, token="1" * 32)
        self.tell(Report.STARTING, late, token="2" * 32)
        self.tell(Report.FINISHED, running, return_code=0, run_time=1.0)
        self.do(mark_published, [run for run in self.unpublished() if run.run_id == late.run_id])
        self.assertEqual(self.again_after([late.run_id]), [pause_after(1)])

    def test_handed_back_before_the_confirm(self) -> None:
        """What a stopping runner hands back is for others at once, though the confirm comes after that."""
        first = self.claimed[0]
        self.tell(Report.STARTING, first, token="1" * 32)
        self.tell(Report.RETURNED, first, token="1" * 32)
        self.do(mark_published, self.claimed)
        self.assertEqual(self.again_after([first.run_id]), [timedelta(0)])

    def claim_second(self) -> Publication:
        """Claim the next slot of the job whose first run was claimed first."""
        self.now = at(0, 2)
        claimed = [run for run in self.claim().publications if run.job_id == self.claimed[0].job_id]
        return claimed[0]

    def tell(self, kind: Report, run: Publication, **rest: Any) -> None:
        """The runner asks or reports."""
        self.do(record_reports, [report(kind, run.run_id, run.job_id, self.now, runner="runner-1", **rest)])

    def test_nothing(self) -> None:
        """Marking nothing changes nothing."""
        before = self.rows(runs)
        self.do(mark_published, [])
        self.do(mark_unroutable, [])
        self.assertEqual(self.rows(runs), before)

    def test_unroutable(self) -> None:
        """A run that no queue takes is over at once, and says what is missing."""
        (second,) = (run for run in self.claimed if run.name == "b")
        self.do(mark_unroutable, [second])
        row = self.row(runs, run_id=second.run_id)
        self.assertEqual(
            (row["status"], row["ended_at"], row["recorded_at"], row["publish_after"]),
            ("unroutable", self.now, self.now, None),
        )
        self.assertEqual(
            row["reason"],
            "no queue is bound to routing key 'slow': no runner that serves it has ever started",
        )
        self.now = at(9)
        self.assertNotIn(second.run_id, [run.run_id for run in self.unpublished()])

    def test_unroutable_after_the_start(self) -> None:
        """A run that a runner has all the same is not declared unroutable."""
        first = self.claimed[0]
        self.do(record_reports, [report(Report.STARTING, first.run_id, first.job_id, self.now)])
        self.do(mark_unroutable, self.claimed)
        self.assertEqual(self.row(runs, run_id=first.run_id)["status"], "running")

    def test_longest_routing_key(self) -> None:
        """The longest key, of the widest characters, fits into the reason."""
        self.put(job("c", routing_key="\U0001f600" * 63))
        self.now = at(0, 2)
        self.do(mark_unroutable, self.claim().publications)
        self.assertIn("\U0001f600" * 63, self.row(runs, status="unroutable")["reason"])

    def test_forget(self) -> None:
        """When the broker was one that keeps nothing over its end, all that waits is published again."""
        self.do(mark_published, self.claimed)
        self.assertEqual(self.do(forget_published), 2)
        self.assertEqual(len(self.unpublished()), 2)

    def test_republished_as_it_was_made(self) -> None:
        """A run that waits is published with the command it was made with, whatever its job is now."""
        self.put(job("a", command="echo new", routing_key="new"))
        self.now += PUBLISH_WITHIN * SECOND
        found = {run.name: (run.command, run.routing_key) for run in self.unpublished()}
        self.assertEqual(found, {"a": ("echo a", "default"), "b": ("true", "slow")})

    def test_inherited_job(self) -> None:
        """A run of a job that 0.27 stored is published again like any other."""
        self.insert_old_job("old", at(0, 2), timedelta(hours=1), command="echo old")
        self.now = at(0, 2)
        (mine,) = (run for run in self.claim().publications if run.name == "old")
        self.now += PUBLISH_WITHIN * SECOND
        self.assertIn(mine, self.unpublished())

    def test_deleted_job(self) -> None:
        """A run whose job was deleted from the table, as 0.27 does, ends there and holds up no other."""
        first, second = self.claimed
        self.sql("DELETE FROM jobs WHERE id = :id", id=first.job_id)
        self.now += PUBLISH_WITHIN * SECOND
        self.assertEqual(self.unpublished(), [second])
        row = self.row(runs, run_id=first.run_id)
        self.assertEqual(
            (row["status"], row["reason"], row["ended_at"], row["publish_after"]),
            ("skipped", "its job was deleted before it started", self.now, None),
        )

    def test_definitions_are_kept(self) -> None:
        """What a run was made with is there as long as the run, also when its job has been removed."""
        self.put()
        made_with = {row["definition_id"] for row in self.rows(runs)}
        self.assertLessEqual(made_with, {row["id"] for row in self.rows(definitions)})
        self.assertEqual(len(self.rows(jobs)), 2)
