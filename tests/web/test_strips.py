"""The latest runs of a job as bars."""

import re
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.reading.brief_runs import Bar, BriefRun
from cronq.domain.runs import Status
from cronq.domain.usual import UsualDuration
from cronq.web.pages.strips import Strip, strip
from tests.web.seed import NOW

USUAL = UsualDuration(30, 10.0, 20.0)
RUNS = st.lists(st.tuples(st.sampled_from(Status), st.none() | st.floats(0, 1e7)), max_size=30)


def drawn(*bars: Bar, usual: UsualDuration | None = USUAL) -> Strip:
    return strip(bars, usual, None, NOW)


def heights(path: str) -> list[int]:
    return [int(each) for each in re.findall(r"v-(\d+)", path)]


class StripTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """Of a job that never ran there is nothing to draw, and nothing to say."""
        self.assertEqual(drawn(), Strip("", "", "", "", "", "", ""))

    def test_order(self) -> None:
        """The latest run is on the right, beside the one before it."""
        found = drawn(Bar(2, Status.FAILED, 10.0), Bar(1, Status.SUCCEEDED, 10.0))
        (first,), (second,) = re.findall(r"M(\d+) 0", found.good), re.findall(r"M(\d+) 0", found.bad)
        self.assertLess(int(first), int(second))

    def test_heights(self) -> None:
        """What is usual is half as tall as the tallest; twice as long is taller by as much each time."""
        took = (10.0, 20.2, 40.6, 1000.0, 0.0)
        usual, twice, four_times, tallest, least = heights(
            drawn(*(Bar(1, Status.SUCCEEDED, each) for each in took)).good
        )
        self.assertEqual(usual * 2, tallest)
        self.assertEqual(twice - usual, four_times - twice)
        self.assertLess(four_times, tallest + 1)
        self.assertGreater(least, 0)

    def test_short(self) -> None:
        """Of runs that are over in a moment all look alike."""
        found = heights(
            drawn(Bar(1, Status.SUCCEEDED, 0.004), Bar(2, Status.SUCCEEDED, 0.016), usual=None).good
        )
        self.assertLessEqual(abs(found[0] - found[1]), 1)

    def test_shapes(self) -> None:
        """Each kind of end has a shape of its own, not only a colour."""
        shapes = {}
        for status in Status:
            found = drawn(Bar(1, status, 1.0))
            shapes[status] = tuple(
                bool(each)
                for each in (found.good, found.bad, found.marks, found.warn, found.busy, found.idle)
            )
        self.assertEqual(shapes[Status.FAILED], (False, True, True, False, False, False))
        kinds = (Status.SUCCEEDED, Status.FAILED, Status.LOST, Status.RUNNING, Status.SKIPPED)
        self.assertEqual(len({shapes[status] for status in kinds}), 5)

    def test_label(self) -> None:
        """The same in words: how many of each, the most usual first, and when it last went wrong."""
        bars = [Bar(n, Status.FAILED if n > 28 else Status.SUCCEEDED, 1.0) for n in range(1, 31)]
        latest = BriefRun("a" * 32, Status.FAILED, 1.0, NOW - timedelta(minutes=3))
        label = strip(bars, USUAL, latest, NOW).label
        self.assertEqual(label, "28 succeeded, 2 failed, latest failed 3 minutes ago")

    @settings(suppress_health_check=[HealthCheck.too_slow])  # a machine may be busy with other tests
    @given(RUNS)
    def test_any(self, runs: list[tuple[Status, float | None]]) -> None:
        """Each run is drawn once, whatever it was, within the strip."""
        bars = [Bar(number, *run) for number, run in enumerate(runs)]
        found = drawn(*bars)
        paths = found.good + found.bad + found.warn + found.busy + found.idle
        self.assertEqual(paths.count("M"), len(bars))
        self.assertTrue(all(0 <= int(x) <= 150 for x in re.findall(r"M(\d+)", paths)))
        self.assertTrue(all(0 < height <= 24 for height in heights(paths)))
