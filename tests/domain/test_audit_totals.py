"""What an audit comes to, in words."""

from collections import Counter
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.audit_totals import Totals, period_in_words, verdict
from cronq.domain.runs import Status

FIRST, LAST = datetime(2026, 1, 1), datetime(2026, 1, 2, 3, 4, 5)


class TotalsTests(SynchronousTestCase):
    def test_in_words(self) -> None:
        """What was looked at, and how often which status, those that occur and in one order."""
        self.assertEqual(Totals().in_words(), "0 jobs, 0 slots (no runs)")
        runs = Counter({Status.TIMED_OUT: 1, Status.SUCCEEDED: 1234, Status.FAILED: 0})
        totals = Totals(jobs=1, slots=1234, by_hand=1, runs=runs)
        expected = "1 job, 1,234 slots, 1 run by hand (1,234 succeeded, 1 timed out)"
        self.assertEqual(totals.in_words(), expected)

    def test_all_that_was_not_asked_for_by_a_schedule(self) -> None:
        """Whatever else there is has its number, so that those before the bracket add up to those in it."""
        runs = Counter({Status.SUCCEEDED: 50, Status.FAILED: 4, Status.MISSED: 6})
        totals = Totals(8, 45, 3, by_hand=2, after_others=4, backfilled=7, further_attempts=1, runs=runs)
        expected = (
            "8 jobs, 45 slots, 3 of them without a row, 2 runs by hand, 4 runs after other jobs,"
            " 7 backfilled runs, 1 further attempt, 4 rows without a slot"
            " (50 succeeded, 4 failed, 6 missed)"
        )
        self.assertEqual((totals.in_words(), totals.rows_without_slot), (expected, 4))

    def test_verdict(self) -> None:
        """One finding, or many, or none."""
        words = ["all is accounted for", "1 finding", "2,000 findings"]
        self.assertEqual([verdict(count) for count in (0, 1, 2000)], words)

    def test_period(self) -> None:
        """Which time was audited, and why no earlier one."""
        for since, pruned, words in (
            (None, None, "until 2026-01-02 03:04:05 UTC"),
            (FIRST, None, "from 2026-01-01 00:00:00 UTC until 2026-01-02 03:04:05 UTC"),
            (
                FIRST,
                FIRST,
                "until 2026-01-02 03:04:05 UTC; before 2026-01-01 00:00:00 UTC the ledger has been pruned",
            ),
        ):
            self.assertEqual(period_in_words(since, LAST, pruned), words)
