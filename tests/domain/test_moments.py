"""Moments as people name them."""

from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadSchedule
from cronq.domain.moments import parse_moment

NOW = datetime(2026, 3, 31, 12, 0, 30)


class MomentTests(SynchronousTestCase):
    def test_by_the_calendar(self) -> None:
        """A date, with or without a time, in UTC unless it has an offset; a space does for the T."""
        for text, moment in (
            ("2026-03-01", datetime(2026, 3, 1)),
            ("2026-03-01T06:30", datetime(2026, 3, 1, 6, 30)),
            ("2026-03-01 06:30:15.5Z", datetime(2026, 3, 1, 6, 30, 15, 500_000)),
            ("2026-03-01T06:30+02:00", datetime(2026, 3, 1, 4, 30)),
            (" 2026-03-01 ", datetime(2026, 3, 1)),
        ):
            self.assertEqual(parse_moment(text, NOW), moment, text)

    def test_so_long_ago(self) -> None:
        """A duration is counted back from now, months by the calendar."""
        for text, moment in (
            ("PT90S", datetime(2026, 3, 31, 11, 59)),
            ("P1D", datetime(2026, 3, 30, 12, 0, 30)),
            ("P1M", datetime(2026, 2, 28, 12, 0, 30)),
        ):
            self.assertEqual(parse_moment(text, NOW), moment, text)

    def test_neither(self) -> None:
        """Anything else is refused with what is wrong."""
        for text, said in (
            ("yesterday", "is neither a full date"),
            ("", "is neither a full date"),
            ("P1X", "is not a duration"),
            ("-PT5S", "'-PT5S' is not a duration: a duration has no sign, leave it out"),
            ("noTime", "'noTime' is neither a full date"),
            ("P3000Y", "P3000Y ago was before the year 1"),
        ):
            self.assertIn(said, str(self.assertRaises(BadSchedule, parse_moment, text, NOW)))
