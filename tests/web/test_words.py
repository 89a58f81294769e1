"""Times, lengths and return codes as people read them."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.reading.runs import RunRecord
from cronq.domain.runs import Status
from cronq.web.pages.timeline import WIDTH, timeline
from cronq.web.words.times import duration, exact, gap, relative
from cronq.web.words.wording import advice, code_in_words, what_happened, why_no_output
from tests.web.seed import NOW

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))


def run(status: Status, **values: object) -> RunRecord:
    return RunRecord(id=1, run_id="0" * 32, job_id=1, status=status, **values)  # type: ignore[arg-type]


class TimeTests(SynchronousTestCase):
    def test_relative(self) -> None:
        """A time is told in the largest unit that it fills."""
        for away, text in (
            (timedelta(0), "now"),
            (0.9 * SECOND, "now"),
            (-0.9 * SECOND, "now"),
            (SECOND, "in 1 s"),
            (-59.9 * SECOND, "59 s ago"),
            (MINUTE, "in 1 minute"),
            (-3.5 * MINUTE, "3 minutes ago"),
            (HOUR, "in 1 hour"),
            (-23.9 * HOUR, "23 hours ago"),
            (DAY, "in 1 day"),
            (-59 * DAY, "1 month ago"),
            (61 * DAY, "in 2 months"),
            (-364 * DAY, "12 months ago"),
            (800 * DAY, "in 2 years"),
        ):
            self.assertEqual(relative(NOW + away, NOW), text, away)

    def test_exact(self) -> None:
        """The exact time says that it is UTC."""
        self.assertEqual(exact(NOW), "2026-11-23 07:05:20 UTC")
        self.assertEqual(exact(datetime(1, 1, 1)).split()[1:], ["00:00:00", "UTC"])

    def test_duration(self) -> None:
        """A length is told in two units at most."""
        for span, text in (
            (timedelta(0), "0 ms"),
            (0.34 * SECOND, "340 ms"),
            (SECOND, "1 s"),
            (2.44 * SECOND, "2.4 s"),
            (42.4 * SECOND, "42 s"),
            (59.6 * SECOND, "1 min"),
            (200 * SECOND, "3 min 20 s"),
            (2 * HOUR + 5 * MINUTE + 9 * SECOND, "2 h 5 min"),
            (3 * DAY, "3 d"),
            (-0.4 * SECOND, "\N{MINUS SIGN}400 ms"),
        ):
            self.assertEqual(duration(span), text)

    def test_gap(self) -> None:
        """A step in time has a sign."""
        self.assertEqual(gap(SECOND), "+1 s")
        self.assertEqual(gap(-SECOND), "\N{MINUS SIGN}1 s")

    @given(st.datetimes(), st.datetimes())
    def test_every_time(self, moment: datetime, now: datetime) -> None:
        """There are words for all times."""
        self.assertRegex(relative(moment, now), r"^(now|in \d+ \w+|\d+ \w+ ago)$")
        self.assertRegex(duration(moment - now), r"^\S?[\d.]+ (ms|s|min|h|d)( \d+ (s|min|h))?$")


class WordingTests(SynchronousTestCase):
    def test_return_codes(self) -> None:
        """A death by signal is named, by the shell's way of counting and by Python's."""
        for code, words in (
            (0, "exit 0"),
            (3, "exit 3"),
            (126, "exit 126 (not executable)"),
            (127, "exit 127 (command not found)"),
            (128, "exit 128"),
            (137, "killed by SIGKILL (137)"),
            (143, "killed by SIGTERM (143)"),
            (255, "exit 255"),
            (-11, "killed by SIGSEGV (-11)"),
            (-1000, "exit -1000"),
            (2**31 - 1, "exit 2147483647"),
        ):
            self.assertEqual(code_in_words(code), words)

    def test_every_status(self) -> None:
        """Each status is told in sentences."""
        for status in Status:
            self.assertRegex(what_happened(run(status)), r"^[A-Z][^.]+\.( [A-Z][^.]+\.)?$")

    def test_reason(self) -> None:
        """A reason becomes a sentence of its own."""
        self.assertEqual(
            what_happened(run(Status.FAILED, reason="cannot start: no memory")),
            "Its command could not be run. Cannot start: no memory.",
        )
        told = what_happened(run(Status.KILLED, reason="by Ada!", return_code=143))
        self.assertEqual(told, "It was stopped. By Ada!")
        told = what_happened(run(Status.KILLED, reason="killed by Ada"))
        self.assertEqual(told, "It did not start. Killed by Ada.")

    def test_queued_for_long(self) -> None:
        """A run that had to be published again says how to start a runner."""
        self.assertIsNone(advice(run(Status.QUEUED, publications=1), "slow"))
        again = advice(run(Status.QUEUED, publications=2), "slow")
        self.assertEqual(again and again.command, "cronq-runner --queue slow")

    def test_lost(self) -> None:
        """A lost run says whose log may tell more."""
        told = advice(run(Status.LOST, host="worker-1"), "default")
        self.assertIn("worker-1", told.text if told else "")

    def test_no_output(self) -> None:
        """Of a run that has not written anything, or whose output is elsewhere, it is said why."""
        self.assertEqual(why_no_output(run(Status.QUEUED)), "It has not started yet.")
        told = why_no_output(run(Status.SKIPPED, reason="paused: we move"))
        self.assertEqual(told, "It was skipped: paused: we move")
        self.assertEqual(
            why_no_output(run(Status.LOST, host="worker-1")),
            "Nobody knows how it ended. What it wrote is not here, but in the log of its job on worker-1,"
            " in the log folder of its runner.",
        )
        told = why_no_output(run(Status.MISSED))
        self.assertEqual(told, "It did not run. It fell into an outage.")
        told = why_no_output(run(Status.FAILED, started_at=NOW, return_code=1))
        self.assertEqual(told, "")


class TimelineTests(SynchronousTestCase):
    def test_clocks_disagree(self) -> None:
        """A runner whose clock is behind makes a step back, which is shown and hurts nothing."""
        steps = timeline(run(Status.RUNNING, granted_at=NOW, started_at=NOW - SECOND), NOW)
        self.assertEqual([step.gap for step in steps[:2]], [None, -SECOND])
        self.assertEqual([step.by_runner for step in steps[:2]], [False, True])

    def test_over_midnight(self) -> None:
        """The first step of each day says which day it is."""
        steps = timeline(run(Status.SUCCEEDED, slot=NOW, started_at=NOW, ended_at=NOW + DAY), NOW)
        self.assertEqual([step.new_day for step in steps], [True, False, True])

    def test_nothing_known(self) -> None:
        """A run without any time has no steps."""
        self.assertEqual(timeline(run(Status.QUEUED), NOW), ())

    def test_bars(self) -> None:
        """Bars stand one after the other; milliseconds are seen beside hours, and longer times are wider."""
        start = NOW + timedelta(milliseconds=5)
        steps = timeline(
            run(
                Status.SUCCEEDED, slot=NOW, started_at=start, ended_at=start + HOUR, recorded_at=start + HOUR
            ),
            NOW,
        )
        first, waited, ran, recorded = steps
        self.assertEqual((first.width, recorded.width, recorded.x), (0, 0, recorded.x))
        self.assertLessEqual(recorded.x, WIDTH)
        self.assertEqual((waited.x, ran.x), (0, waited.width))
        self.assertGreater(ran.width, 3 * waited.width)
        self.assertGreater(waited.width, WIDTH / 20)
        self.assertEqual([step.is_run for step in steps], [False, False, True, False])

    def test_so_far(self) -> None:
        """What is going on has a bar as well, up to now."""
        steps = timeline(run(Status.RUNNING, slot=NOW - HOUR, started_at=NOW - SECOND), NOW)
        ended, recorded = steps[-2:]
        self.assertEqual((ended.moment, ended.gap, ended.is_run), (None, SECOND, True))
        self.assertEqual((recorded.gap, recorded.width), (None, 0))
