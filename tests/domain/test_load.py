"""How slots and durations add up to a load, against counting them one by one."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.lanes import Bar, Course, lane_of, next_slots
from cronq.domain.load import Block, load_of
from cronq.domain.schedules import parse_schedule

BEGIN = datetime(2026, 11, 23, 7, 5)
MINUTE = timedelta(minutes=1)
BINS = 60
TEXTS = (
    "R/2026-01-01T00:00:00Z/PT1S",
    "R/2026-01-01T00:00:00Z/PT7S",
    "R/2026-01-01T00:00:00.5Z/PT59.9S",
    "R3/2026-11-23T07:30:00Z/PT20S",
    "R/2026-01-01T00:00:30Z/PT1M",
    "R/2026-01-01T00:00:10Z/PT13M",
    "*/5 * * * *",
    "0 0 1 1 *",
)


class LoadTests(SynchronousTestCase):
    @given(some.sampled_from(TEXTS), some.floats(0, 10_000), some.integers(1, 5), some.integers(-90, 90))
    def test_counts(self, text: str, seconds: float, jobs: int, pause: int) -> None:
        """Each slot is in its bin, and the time that its run takes in the bins that it lies in."""
        schedule, since = parse_schedule(text), BEGIN + pause * MINUTE
        load = load_of([Block(schedule, jobs, seconds, since)], BEGIN, MINUTE, BINS)
        first = max(BEGIN, since) - timedelta.resolution
        slots = list(schedule.slots_between(first, BEGIN + BINS * MINUTE - timedelta.resolution))
        counts = [0] * BINS
        for slot in slots:
            counts[(slot - BEGIN) // MINUTE] += jobs
        self.assertEqual(list(load.starts), counts)
        end, took = BEGIN + BINS * MINUTE, timedelta(seconds=seconds)
        total = sum((min(slot + took, end) - slot) / MINUTE for slot in slots) * jobs
        # Many slots in one bin count from its beginning: the last of them lasts up to a bin longer.
        most = total + (min(seconds, 60) / 60 * jobs * len(slots) if text in TEXTS[:4] else 0)
        self.assertLessEqual(total, sum(load.running) + 0.001 * (1 + total))
        self.assertLessEqual(sum(load.running), most * 1.001 + 0.001)

    def test_across_bins(self) -> None:
        """A run that goes on for a while is one at once in each bin that it fills."""
        once = parse_schedule("at 2026-11-23T07:10:30Z")
        load = load_of([Block(once, 2, 150)], BEGIN, MINUTE, BINS)
        self.assertEqual(load.running[4:10], (0, 1, 2, 2, 0, 0))
        self.assertEqual(load.fullest(3), [5])
        self.assertEqual((load.usual, load.moment(5)), (0, BEGIN + 5 * MINUTE))

    def test_beyond_the_end(self) -> None:
        """What a run takes behind the last bin is left out."""
        once = parse_schedule("at 2026-11-23T08:04:30Z")
        load = load_of([Block(once, 1, 1e9)], BEGIN, MINUTE, BINS)
        self.assertEqual((load.running[58:], load.end), ((0, 0.5), BEGIN + BINS * MINUTE))


class LaneTests(SynchronousTestCase):
    def test_bars(self) -> None:
        """Runs are as long as usual, and so close that they cannot be told apart they are one bar."""
        hourly = Course(parse_schedule("0 * * * *"), datetime(2026, 11, 23, 8))
        until, hour = BEGIN + 3 * 60 * MINUTE, 60 * MINUTE
        at = hourly.next_slot
        bars = lane_of(hourly, until, 30 * MINUTE, 10 * MINUTE)
        self.assertEqual(bars, [Bar(at + n * hour, at + n * hour + 30 * MINUTE) for n in range(3)])
        self.assertEqual(
            lane_of(hourly, until, MINUTE, 40 * MINUTE), [Bar(at, at + 160 * MINUTE, dense=True)]
        )

    def test_unreadable(self) -> None:
        """Of a schedule that nobody can read the next slot is known."""
        self.assertEqual(next_slots({7: Course(None, BEGIN)}, BEGIN + MINUTE, 9), [(BEGIN, 7)])

    def test_pause(self) -> None:
        """A pause keeps its slots away, and the slot at its end is there again."""
        course = Course(parse_schedule("* * * * *"), BEGIN, since=BEGIN + 3 * MINUTE)
        found = next_slots({1: course}, BEGIN + 9 * MINUTE, 2)
        self.assertEqual(found, [(BEGIN + 3 * MINUTE, 1), (BEGIN + 4 * MINUTE, 1)])
