"""What is drawn on the page of a job: its days, and how long it takes."""

from datetime import date, datetime, timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.database.reading.days import JobDays
from cronq.database.reading.job_page import first_day
from cronq.database.reading.runs import RunRecord
from cronq.domain.days import Counts
from cronq.domain.runs import Status
from cronq.domain.usual import UsualDuration
from cronq.web.pages.calendar import Calendar, Day, calendar
from cronq.web.pages.durations import HEIGHT, LEFT, TOP, WIDTH, DurationChart, duration_chart

MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 7, 5, 20)


class CalendarTests(SynchronousTestCase):
    """The days of a year."""

    def grid(self, counts: dict[date, Counts], today: date = MONDAY) -> Calendar:
        return calendar(JobDays(first_day(today), today, counts, behind=False))

    def day(self, grid: Calendar, wanted: date) -> Day:
        (found,) = [day for _, days in grid.weekdays for day in days if day and day.date == wanted]
        return found

    def test_form(self) -> None:
        """There are seven rows of 53 weeks; the last week ends today."""
        for today, blank in ((MONDAY, 6), (MONDAY + timedelta(days=3), 3), (MONDAY - timedelta(days=1), 0)):
            grid = self.grid({}, today)
            self.assertEqual(
                [name for name, _ in grid.weekdays], ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
            )
            self.assertEqual({len(days) for _, days in grid.weekdays}, {53})
            days = [day for _, row in grid.weekdays for day in row]
            self.assertEqual(days.count(None), blank)
            self.assertEqual(sorted(day.date for day in days if day)[-1], today)
            self.assertTrue(
                all(each.weekday() == 0 for each in [day.date for day in grid.weekdays[0][1] if day])
            )

    def test_months(self) -> None:
        """Each month stands above the weeks that begin in it; without room for it, it has no name."""
        months = self.grid({}).months
        self.assertEqual(sum(month.weeks for month in months), 53)
        named = [month.name for month in months if month.name]
        year = ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
        self.assertEqual(named, year)
        self.assertEqual((months[0].weeks, months[0].name), (1, ""))

    def test_day(self) -> None:
        """A day has its worst state, and says how many came to what."""
        counts: dict[date, Counts] = {
            MONDAY: {Status.SUCCEEDED: 1438, Status.FAILED: 2},
            MONDAY - timedelta(days=1): {Status.SUCCEEDED: 1440},
        }
        grid = self.grid(counts)
        today = self.day(grid, MONDAY)
        self.assertEqual((today.status, today.mixed), (Status.FAILED, True))
        self.assertEqual(today.text, "23 Nov 2026: 2 failed, 1,438 succeeded")
        before = self.day(grid, MONDAY - timedelta(days=1))
        self.assertEqual((before.status, before.mixed), (Status.SUCCEEDED, False))
        self.assertIsNone(self.day(grid, MONDAY - timedelta(days=2)).status)
        self.assertEqual(list(grid.totals.items()), [(Status.FAILED, 2), (Status.SUCCEEDED, 2878)])


class DurationTests(SynchronousTestCase):
    """How long runs took."""

    def run_of(self, seconds: float | None, status: Status = Status.SUCCEEDED, **rest: Any) -> RunRecord:
        slot = rest.pop("slot", NOW - timedelta(minutes=10))
        return RunRecord(1, "0" * 32, 1, status, slot=slot, run_time=seconds, **rest)

    def chart(
        self, *runs: RunRecord, usual: UsualDuration | None = None, timeout: float | None = None
    ) -> DurationChart:
        """Of these runs, the latest of which comes first."""
        limit = None if timeout is None else timedelta(seconds=timeout)
        found = duration_chart(runs, usual, limit, NOW)
        assert found is not None
        return found

    def test_nothing(self) -> None:
        """What never ran has no chart."""
        self.assertIsNone(duration_chart((), None, None, NOW))
        self.assertIsNone(duration_chart([self.run_of(None, Status.MISSED)], None, None, NOW))

    def test_dots(self) -> None:
        """The oldest run is on the left, the longest at the top, and all within the picture."""
        slots = [NOW - timedelta(minutes=minute) for minute in (1, 2, 3)]
        chart = self.chart(
            *(self.run_of(each, slot=slot) for each, slot in zip((4.0, 8.0, 1.0), slots, strict=True))
        )
        xs, ys = [dot.x for dot in chart.dots], [dot.y for dot in chart.dots]
        self.assertEqual(xs, sorted(xs))
        self.assertGreater(ys[0], ys[2])
        self.assertGreater(ys[2], ys[1])
        self.assertTrue(all(LEFT < x < WIDTH for x in xs))
        self.assertTrue(all(TOP <= y < HEIGHT for y in ys))
        self.assertEqual((chart.first, chart.last), (slots[2], slots[0]))
        self.assertEqual(chart.text, "The last 3 runs took from 1 s to 8 s.")
        self.assertEqual(chart.dots[1].text, "2026-11-23 07:03:20 UTC: 8 s, succeeded")

    def test_axis(self) -> None:
        """The axis goes from nothing to what is enough, in steps and units that a person likes."""
        for longest, texts in (
            (0.0, ["0", "1 ms"]),
            (0.004, ["0", "1 ms", "2 ms", "3 ms", "4 ms"]),
            (0.9, ["0", "200 ms", "400 ms", "600 ms", "800 ms", "1000 ms"]),
            (1.2, ["0", "0.5 s", "1 s", "1.5 s"]),
            (95, ["0", "20 s", "40 s", "60 s", "80 s", "100 s"]),
            (400, ["0", "2 min", "4 min", "6 min", "8 min"]),
            (7200, ["0", "0.5 h", "1 h", "1.5 h", "2 h"]),
            (3e6, ["0", "10 d", "20 d", "30 d", "40 d"]),
        ):
            ticks = self.chart(self.run_of(longest)).ticks
            self.assertEqual([tick.text for tick in ticks], texts, longest)
            self.assertEqual(sorted((tick.y for tick in ticks), reverse=True), [tick.y for tick in ticks])

    def test_levels(self) -> None:
        """Median, 95th percentile and timeout are lines; a timeout that is far away is only told."""
        usual = UsualDuration(30, 2.0, 8.0)
        for timeout, drawn in ((10.0, True), (12.7, True), (3600.0, False)):
            levels = self.chart(self.run_of(5.0), usual=usual, timeout=timeout).levels
            self.assertEqual([level.kind for level in levels], ["median", "p95", "timeout"])
            self.assertEqual(levels[2].y is not None, drawn, timeout)
            self.assertEqual(levels[2].span, timedelta(seconds=timeout))
            ys = [level.y for level in levels if level.y is not None]
            self.assertEqual(ys, sorted(ys, reverse=True))
        self.assertEqual(self.chart(self.run_of(5.0)).levels, ())

    def test_running(self) -> None:
        """What runs is as long as it has run yet, and says so; it does not count as one that took so long."""
        running = self.run_of(None, Status.RUNNING, started_at=NOW - timedelta(seconds=90))
        chart = self.chart(running, self.run_of(30.0))
        self.assertIn("1 min 30 s so far, running", chart.dots[1].text)
        self.assertEqual(chart.text, "The last run took 30 s.")
        self.assertEqual(self.chart(running).text, "Its first run goes on.")

    def test_shapes(self) -> None:
        """Each status has a mark of its own."""
        ended = (Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.KILLED, Status.LOST)
        shapes = self.chart(*(self.run_of(1.0, status) for status in ended)).statuses
        self.assertEqual(set(shapes), set(ended))
        self.assertEqual(len(set(shapes.values())), len(ended))
