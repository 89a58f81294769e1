"""Days, and how many runs came to what on them."""

from datetime import date, datetime

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.days import WORST_FIRST, Tally, bounds, slots_by_day, worst
from cronq.domain.runs import Status
from cronq.domain.schedules import parse_schedule

FRIDAY, SATURDAY, SUNDAY = date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)


class WorstTests(SynchronousTestCase):
    def test_every_status(self) -> None:
        """Each status has its place, once."""
        self.assertEqual(sorted(WORST_FIRST), sorted(Status))

    def test_worst(self) -> None:
        """One failure counts more than all that went well, and what ran more than what was skipped."""
        self.assertIs(worst({Status.SUCCEEDED: 1439, Status.FAILED: 1}), Status.FAILED)
        self.assertIs(worst({Status.SKIPPED: 9, Status.SUCCEEDED: 1}), Status.SUCCEEDED)
        self.assertIs(worst({Status.FAILED: 0, Status.RUNNING: 1}), Status.RUNNING)


class TallyTests(SynchronousTestCase):
    def test_counts(self) -> None:
        """What comes to nothing is left out, and the days are in order."""
        tally = Tally()
        for day, status, count in (
            (SUNDAY, Status.MISSED, 1),
            (FRIDAY, Status.SUCCEEDED, 2),
            (FRIDAY, Status.SUCCEEDED, 3),
            (SATURDAY, Status.FAILED, 1),
            (SATURDAY, Status.FAILED, -1),
            (SUNDAY, Status.LOST, 0),
        ):
            tally.add(day, status, count)
        expected = {FRIDAY: {Status.SUCCEEDED: 5}, SUNDAY: {Status.MISSED: 1}}
        self.assertEqual(tally.counts(), expected)
        self.assertEqual(list(tally.counts()), [FRIDAY, SUNDAY])


class SlotsTests(SynchronousTestCase):
    def spread(self, text: str, first: str, last: str) -> dict[date, int]:
        return slots_by_day(parse_schedule(text), datetime.fromisoformat(first), datetime.fromisoformat(last))

    def test_bounds(self) -> None:
        """A day ends where the next one begins."""
        self.assertEqual(bounds(SATURDAY), (datetime(2026, 2, 28), datetime(2026, 3, 1)))

    def test_days(self) -> None:
        """Each slot lies on one day, those of midnight on that which begins."""
        found = self.spread("R/2026-01-01T00:00:00Z/PT1H", "2026-02-27T22:00:00", "2026-03-01T00:00:00")
        self.assertEqual(found, {FRIDAY: 2, SATURDAY: 24, SUNDAY: 1})

    def test_days_without(self) -> None:
        """A day without a slot is not in it."""
        found = self.spread("R/2026-02-27T06:00:00Z/P2D", "2026-02-27T06:00:00", "2026-03-01T06:00:00")
        self.assertEqual(found, {FRIDAY: 1, SUNDAY: 1})

    def test_one(self) -> None:
        """The first may be the last."""
        found = self.spread("R/2026-02-27T06:00:00Z/P2D", "2026-02-27T06:00:00", "2026-02-27T06:00:00")
        self.assertEqual(found, {FRIDAY: 1})
