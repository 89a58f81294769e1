"""What a job usually takes."""

import statistics

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.usual import MOST_RUNS, UsualDuration, usual_duration

SECONDS = st.lists(st.floats(0, 1e6), min_size=1, max_size=100)


class UsualDurationTests(SynchronousTestCase):
    def test_none(self) -> None:
        """Without runs nobody knows."""
        self.assertIsNone(usual_duration([]))

    def test_one(self) -> None:
        """One run is all there is."""
        self.assertEqual(usual_duration([2.5]), UsualDuration(1, 2.5, 2.5))

    def test_few(self) -> None:
        """Of few runs, the longest stands for what is seldom exceeded; one alone moves no median."""
        self.assertEqual(usual_duration([1.0, 300.0, 2.0, 3.0]), UsualDuration(4, 2.5, 300.0))

    def test_twenty(self) -> None:
        """Of twenty runs, one may take longer than the 95th percentile."""
        self.assertEqual(usual_duration([float(n) for n in range(1, 21)]), UsualDuration(20, 10.5, 19.0))

    def test_latest(self) -> None:
        """The latest runs count, and those before them no more."""
        self.assertEqual(
            usual_duration([1.0] * MOST_RUNS + [100.0] * 100), UsualDuration(MOST_RUNS, 1.0, 1.0)
        )

    @given(SECONDS)
    def test_any(self, seconds: list[float]) -> None:
        """Both figures are among what was measured, or between; and few runs took longer than the second."""
        found = usual_duration(seconds)
        assert found is not None
        latest = seconds[:MOST_RUNS]
        self.assertEqual((found.runs, found.median), (len(latest), statistics.median(latest)))
        self.assertIn(found.p95, latest)
        self.assertLessEqual(sum(each > found.p95 for each in latest), 0.05 * len(latest))
