"""What becomes of a run while others of its job have not ended."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.overlap import (
    STARTS,
    Admission,
    OpenRun,
    Verdict,
    admit,
    admit_start,
    occupied,
    overdue,
    to_let_go,
)
from cronq.domain.rules import Overlap, Rules
from cronq.domain.runs import Cause, Status

RUNNING = OpenRun("1" * 32, Status.RUNNING, datetime(2026, 1, 1, 9), runner="r", host="alpha")
RUNNING_TOO = OpenRun("3" * 32, Status.RUNNING, datetime(2026, 1, 1, 10))
QUEUED = OpenRun("2" * 32, Status.QUEUED, datetime(2026, 1, 1, 10))
WAITING = replace(QUEUED, waits=True)
EARLY = replace(QUEUED, early=True)
SKIP, QUEUE, REPLACE = (Rules(overlap=word) for word in (Overlap.SKIP, Overlap.QUEUE, Overlap.REPLACE))
TWO = Rules(max_running=2)
START, WAIT, SKIPPED = Admission.START, Admission.WAIT, Admission.SKIP


class AdmitTests(SynchronousTestCase):
    """When a run is recorded."""

    def assert_admits(self, rules: Rules, *ahead: OpenRun, then: Admission) -> None:
        self.assertIs(admit(rules, ahead).admission, then)

    def test_nothing_ahead(self) -> None:
        """Whatever the rule, the only run starts."""
        for rules in (Rules(), TWO, SKIP, QUEUE, REPLACE):
            self.assertEqual(admit(rules, []), STARTS)

    def test_no_rule(self) -> None:
        """Without one any number may be open."""
        self.assert_admits(Rules(), *[RUNNING] * 1000, then=START)

    def test_limit(self) -> None:
        """The last that fits starts, the next one waits, and so does who comes after one that waits."""
        self.assert_admits(TWO, RUNNING, then=START)
        self.assert_admits(TWO, RUNNING, QUEUED, then=WAIT)
        self.assert_admits(TWO, RUNNING, WAITING, then=WAIT)
        self.assert_admits(TWO, RUNNING, EARLY, EARLY, then=START)

    def test_skip(self) -> None:
        """Whatever is open keeps it from running: what runs, waits for a runner, or for its next attempt."""
        for run in (RUNNING, QUEUED, EARLY):
            self.assert_admits(SKIP, run, then=SKIPPED)

    def test_queue(self) -> None:
        """One may wait, be it for what runs, for a runner, or until the slot before was tried for good."""
        for run in (RUNNING, QUEUED, EARLY):
            self.assert_admits(QUEUE, run, then=WAIT)
            self.assert_admits(QUEUE, run, WAITING, then=SKIPPED)

    def test_replace(self) -> None:
        """It waits until what runs is dead; what only waits is no matter."""
        self.assert_admits(REPLACE, RUNNING, then=WAIT)
        self.assert_admits(REPLACE, RUNNING, WAITING, then=WAIT)
        self.assert_admits(REPLACE, QUEUED, WAITING, then=START)

    def test_words(self) -> None:
        """Each decision names the run that is in the way."""
        nine, ten = "the run for 2026-01-01 09:00:00 UTC on alpha", "the run for 2026-01-01 10:00:00 UTC"
        self.assertEqual(admit(SKIP, [RUNNING]), Verdict(SKIPPED, f"{nine} had not ended"))
        self.assertEqual(
            admit(QUEUE, [RUNNING, WAITING]).reason, f"{nine} had not ended, and {ten} was waiting already"
        )
        self.assertEqual(
            admit(QUEUE, [WAITING, RUNNING]).reason, f"{nine} had not ended, and {ten} was waiting already"
        )
        self.assertEqual(
            admit(QUEUE, [RUNNING, RUNNING_TOO]).reason, f"{nine} had not ended, and {ten} had not either"
        )
        self.assertEqual(admit(QUEUE, [RUNNING]).reason, f"it waits until {nine} has ended")
        self.assertEqual(
            admit(REPLACE, [RUNNING]).reason, f"it waits until {nine}, which it replaces, has ended"
        )
        one = "it waits, as at most one run of its job may be running at once"
        self.assertEqual(admit(Rules(max_running=1), [RUNNING]).reason, one)
        self.assertEqual(admit(SKIP, [replace(QUEUED, slot=None)]).reason, "a run by hand had not ended")

    def test_occupied(self) -> None:
        """An attempt that waits for its time keeps its place only where runs follow one another."""
        self.assertEqual([occupied(rules, [EARLY]) for rules in (TWO, REPLACE, SKIP, QUEUE)], [0, 0, 1, 1])
        self.assertEqual(occupied(TWO, [RUNNING, QUEUED, WAITING]), 2)


class WaitingTests(SynchronousTestCase):
    """What becomes of those that wait."""

    def waiting(self, number: int, **also: Any) -> OpenRun:
        return replace(WAITING, run_id=str(number), **also)

    def test_room(self) -> None:
        """As many go as there is room for, in their order, and those of backfills last."""
        runs = [RUNNING, self.waiting(1, cause=Cause.BACKFILL), self.waiting(2), self.waiting(3)]
        self.assertEqual(to_let_go(TWO, runs), ["2"])
        self.assertEqual(to_let_go(Rules(max_running=3), runs), ["2", "3"])
        self.assertEqual(to_let_go(Rules(max_running=9), runs), ["2", "3", "1"])
        self.assertEqual(to_let_go(QUEUE, runs), [])
        for rules in (None, Rules()):
            self.assertEqual(to_let_go(rules, runs), ["2", "3", "1"])

    def test_overdue(self) -> None:
        """Those that have not started by their deadline no longer may, and all others may."""
        due, rules = datetime(2026, 1, 1, 10), replace(QUEUE, deadline=timedelta(minutes=1))
        runs = [replace(RUNNING, due=due), self.waiting(1, due=due), self.waiting(2)]
        self.assertEqual(overdue(rules, runs, due + timedelta(minutes=1)), {})
        self.assertEqual(list(overdue(rules, runs, due + timedelta(minutes=2))), ["1"])
        self.assertEqual(overdue(QUEUE, runs, due + timedelta(days=9)), {})


class StartTests(SynchronousTestCase):
    """When a run is about to start."""

    def test_room(self) -> None:
        """It starts where there is room."""
        for rules in (Rules(), SKIP, QUEUE, REPLACE, TWO):
            self.assertEqual(admit_start(rules, None, []), STARTS)
        self.assertEqual(admit_start(TWO, None, [RUNNING]), STARTS)
        self.assertEqual(admit_start(Rules(), None, [RUNNING] * 9), STARTS)

    def test_no_room(self) -> None:
        """Otherwise it waits or is over, as its rule says."""
        found = [
            admit_start(rules, QUEUED.slot, [RUNNING] * 2).admission for rules in (TWO, SKIP, QUEUE, REPLACE)
        ]
        self.assertEqual(found, [WAIT, SKIPPED, WAIT, WAIT])

    def test_replaced(self) -> None:
        """What comes back after it was replaced, as another attempt, does not run any more."""
        verdict = admit_start(REPLACE, datetime(2026, 1, 1, 8), [RUNNING])
        self.assertEqual(verdict, Verdict(SKIPPED, "replaced by the run for 2026-01-01 09:00:00 UTC"))
        self.assertIs(admit_start(REPLACE, None, [RUNNING]).admission, WAIT)
