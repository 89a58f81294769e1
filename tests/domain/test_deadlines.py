"""How late a run may start at all."""

from datetime import datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.deadlines import due_at, why_too_late
from cronq.domain.rules import Rules
from cronq.domain.runs import Cause

SLOT, MADE, LATER = (datetime(2026, 1, 1, hour) for hour in (1, 2, 3))
TICK = timedelta(microseconds=1)
FIVE = Rules(deadline=timedelta(minutes=5))


class DeadlineTests(SynchronousTestCase):
    def test_from_when(self) -> None:
        """It counts from the slot; where that is of other jobs, from when these had succeeded."""
        self.assertEqual(due_at(SLOT, 1, None, MADE), SLOT)
        self.assertEqual(due_at(SLOT, 1, Cause.AFTER, MADE), MADE)

    def test_none(self) -> None:
        """What people ask for, and what is tried again, may be as late as it likes."""
        self.assertIsNone(due_at(None, 1, None, MADE))
        self.assertIsNone(due_at(SLOT, 1, Cause.BACKFILL, MADE))
        for cause in (None, Cause.AFTER):
            self.assertIsNone(due_at(SLOT, 2, cause, MADE))

    def test_too_late(self) -> None:
        """It is too late when the deadline has passed, and not at the deadline itself."""
        self.assertIsNone(why_too_late(FIVE, SLOT, None, SLOT + timedelta(minutes=5)))
        self.assertEqual(
            why_too_late(FIVE, SLOT, None, SLOT + timedelta(minutes=5) + TICK),
            "it had not started 5 minutes after it was due, which is its deadline",
        )
        since = "those that it runs after had succeeded"
        self.assertEqual(
            why_too_late(FIVE, MADE, Cause.AFTER, LATER),
            f"it had not started 5 minutes after {since}, which is its deadline",
        )

    def test_never_too_late(self) -> None:
        """Without a deadline, or where none counts, nothing is."""
        self.assertIsNone(why_too_late(Rules(), SLOT, None, LATER))
        self.assertIsNone(why_too_late(FIVE, None, None, LATER))
