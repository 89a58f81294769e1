"""What reports make of a run: the same, in whatever order and however often they come."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.messages import Report, ResultMessage
from cronq.domain.reports import RunState, apply_report, grant
from cronq.domain.runs import Status
from cronq.domain.summaries import JobSummary, summarize

RUN, MINE, OTHER = "a" * 32, "1" * 32, "2" * 32
NOW = datetime(2026, 11, 23, 12)
BEGAN = NOW - timedelta(seconds=30)
QUEUED = RunState(RUN, 1, Status.QUEUED)


def report(kind: Report, seconds: float = 0, **values: Any) -> ResultMessage:
    """A report that was sent so many seconds after the start."""
    return ResultMessage(RUN, 1, kind, BEGAN + timedelta(seconds=seconds), "host", **values)


def starting(**values: Any) -> ResultMessage:
    return replace(report(Report.STARTING, start_time=BEGAN, runner="r1"), **values)


def finished(code: int = 0, seconds: float = 10, **values: Any) -> ResultMessage:
    usual = report(Report.FINISHED, seconds, return_code=code, run_time=9.5, runner="r1")
    return replace(usual, **values)


def after(
    messages: Iterable[ResultMessage], run: RunState = QUEUED, *, job_removed: bool = False
) -> RunState:
    for message in messages:
        run = apply_report(run, message, NOW, job_removed=job_removed)
    return run


class ReportTests(SynchronousTestCase):
    """One report after the other."""

    def test_start(self) -> None:
        """A run that was announced is running, with the time and the place of its start."""
        self.assertEqual(
            after([starting()]),
            replace(QUEUED, status=Status.RUNNING, runner="r1", host="host", started_at=BEGAN),
        )

    def test_granted_start(self) -> None:
        """A start that was granted says which request was and when, by the database's clock."""
        run = after([starting(token=MINE)])
        self.assertEqual((run.status, run.token, run.granted_at), (Status.RUNNING, MINE, NOW))

    def test_ends(self) -> None:
        """The return code decides, unless the runner knows better."""
        for message, status in (
            (finished(0), Status.SUCCEEDED),
            (finished(1), Status.FAILED),
            (finished(137), Status.FAILED),
            (finished(143, outcome=Status.KILLED), Status.KILLED),
            (finished(0, outcome=Status.TIMED_OUT), Status.TIMED_OUT),
            (report(Report.FAILED, reason="no such shell"), Status.FAILED),
            (report(Report.LOST, reason="its runner died"), Status.LOST),
        ):
            run = after([starting(), message])
            self.assertEqual(
                (run.status, run.return_code, run.reason, run.ended_at, run.recorded_at),
                (status, message.return_code, message.reason, message.sent_at, NOW),
            )

    def test_start_of_a_run_whose_announcement_is_missing(self) -> None:
        """When only the end was reported, the start is computed from the run time."""
        run = after([finished(seconds=10, run_time=9.5)])
        self.assertEqual(run.started_at, BEGAN + timedelta(seconds=0.5))

    def test_impossible_run_times(self) -> None:
        """A run time that cannot be is no reason to refuse the result; the start stays unknown."""
        for run_time in (-1.0, 1e12, 2.0**31 - 1, None):
            run = after([replace(finished(run_time=run_time), sent_at=datetime(1, 1, 2))])
            self.assertEqual((run.status, run.started_at), (Status.SUCCEEDED, None))

    def test_lost_run_that_turns_up(self) -> None:
        """The result of a run that was given up corrects it."""
        run = after([starting(), report(Report.LOST, 5, reason="gone"), finished(3)])
        self.assertEqual((run.status, run.reason, run.return_code), (Status.FAILED, None, 3))

    def test_lost_twice(self) -> None:
        """That a lost run is lost is nothing new, also when another attempt was made meanwhile."""
        lost = after([starting(), report(Report.LOST, 5, reason="gone")])
        for run in (lost, replace(lost, superseded=True)):
            self.assertEqual(after([report(Report.LOST, 9, reason="ended by its host")], run), run)

    def test_an_end_is_the_end(self) -> None:
        """What has ended stays as it is, whatever is reported after it."""
        ended = after([starting(), finished(0)])
        for late in (finished(1), report(Report.FAILED), report(Report.LOST), starting(token=OTHER)):
            self.assertEqual(after([late], ended), ended)

    def test_runs_that_never_were(self) -> None:
        """A slot that was missed, skipped or unroutable cannot be made to have run."""
        for status in (Status.MISSED, Status.SKIPPED, Status.UNROUTABLE):
            run = replace(QUEUED, status=status)
            self.assertEqual(after([starting(), finished(), report(Report.LOST)], run), run)


class GrantTests(SynchronousTestCase):
    """Who may start."""

    def answer(self, run: RunState | None, message: ResultMessage) -> tuple[bool, str | None]:
        said = grant(run, message)
        self.assertEqual((said.run_id, said.token), (message.run_id, message.token))
        return said.granted, said.reason

    def test_the_first_request(self) -> None:
        """The request that moved the run is granted, and so is the same one again."""
        run = after([starting(token=MINE)])
        self.assertEqual(self.answer(run, starting(token=MINE)), (True, None))
        self.assertEqual(after([starting(token=MINE)], run), run)

    def test_another_request(self) -> None:
        """A second runner is told who was first."""
        run = after([starting(token=MINE), starting(token=OTHER)])
        self.assertEqual(run.token, MINE)
        self.assertEqual(self.answer(run, starting(token=OTHER)), (False, "it was started already, on host"))

    def test_a_run_that_was_started_without_asking(self) -> None:
        """Who asks for what another program has started is refused."""
        run = after([starting(), starting(token=MINE)])
        self.assertEqual(self.answer(run, starting(token=MINE)), (False, "it was started already, on host"))

    def test_after_the_end(self) -> None:
        """A request that was delivered late starts nothing."""
        run = after([starting(token=MINE), finished(0), starting(token=MINE)])
        self.assertEqual(self.answer(run, starting(token=MINE)), (False, "it is succeeded already"))

    def test_lost(self) -> None:
        """A runner that was frozen until its run was given up may not start it."""
        run = after([starting(token=MINE), report(Report.LOST, reason="silent"), starting(token=MINE)])
        self.assertEqual(self.answer(run, starting(token=MINE)), (False, "it is lost already: silent"))

    def test_removed_job(self) -> None:
        """A job that was removed is not started any more; the run says so."""
        run = after([starting(token=MINE)], job_removed=True)
        self.assertEqual((run.status, run.ended_at, run.recorded_at), (Status.SKIPPED, NOW, NOW))
        self.assertEqual(
            self.answer(run, starting(token=MINE)),
            (False, "it is skipped already: its job was removed before it started"),
        )

    def test_removed_job_that_was_started_without_asking(self) -> None:
        """What a program started by itself is running, whether its job is still there or not."""
        self.assertEqual(after([starting()], job_removed=True).status, Status.RUNNING)

    def test_unknown_run(self) -> None:
        """A run that the database does not know is not started."""
        self.assertEqual(
            self.answer(None, starting(token=MINE)), (False, "the database does not know this run")
        )


#: Histories of one run as runners report them: without asking, with a loss, with both times of the start.
HISTORIES = [
    [starting()],
    [starting(), finished(0)],
    [starting(), finished(1, start_time=BEGAN + timedelta(seconds=0.25))],
    [starting(runner=None, start_time=None), finished(0, runner=None)],
    [starting(), report(Report.FAILED, reason="no", run_time=0.0)],
    [starting(), report(Report.LOST, 5, reason="gone")],
    [starting(), report(Report.LOST, 5, reason="gone"), finished(0)],
    [starting(), finished(143, outcome=Status.KILLED, reason="stopped")],
]


class OrderTests(SynchronousTestCase):
    """Late, early, twice: messages on their way through brokers."""

    @given(st.sampled_from(HISTORIES), st.data())
    def test_any_order_and_any_repetition(self, history: list[ResultMessage], data: st.DataObject) -> None:
        """The run ends up the same as if each report had come once and in order."""
        repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=5))
        shuffled = data.draw(st.permutations(repeated))
        self.assertEqual(after(shuffled), after(history))

    @given(st.sampled_from(HISTORIES), st.data())
    def test_granted_run(self, history: list[ResultMessage], data: st.DataObject) -> None:
        """Of a run that was granted, the rest may come in any order, and other requests change nothing."""
        first, *rest = [
            replace(each, token=MINE) if each.report is Report.STARTING else each for each in history
        ]
        others = [first, replace(first, token=OTHER)]
        more = data.draw(st.lists(st.sampled_from([*rest, *others]), max_size=5))
        shuffled = data.draw(st.permutations([*rest, *more]))
        self.assertEqual(after([first, *shuffled]), after([first, *rest]))


class SummaryTests(SynchronousTestCase):
    """What the job's own row says of its latest run, in the words of 0.27."""

    def summary(self, *reports: tuple[str, ResultMessage], now: datetime = NOW) -> JobSummary:
        """After reports of several runs, each told by its name."""
        summary, known = JobSummary(), dict[str, RunState]()
        for name, message in reports:
            before = known.get(name, QUEUED)
            known[name] = run = apply_report(before, message, now, job_removed=False)
            summary = summarize(summary, before, run, now)
        return summary

    def test_words(self) -> None:
        """A run starts, and then it has succeeded or failed; there is no third word."""
        self.assertEqual(self.summary(("a", starting())), JobSummary(BEGAN, None, None, "starting"))
        end = BEGAN + timedelta(seconds=10)
        for message, word in (
            (finished(0), "succeeded"),
            (finished(1), "failed"),
            (finished(143, outcome=Status.KILLED), "failed"),
            (report(Report.LOST, 10), "failed"),
            (report(Report.FAILED, 10), "failed"),
        ):
            summary = self.summary(("a", starting()), ("a", message))
            self.assertEqual(summary, JobSummary(BEGAN, end, word, word))

    def test_wanted_kill(self) -> None:
        """What somebody has killed says nothing of how the job goes; what its stopping runner ended does."""
        for reason, last in (
            ("killed by anna: it hangs", "succeeded"),
            ("replaced by the run for 2026-11-23 12:00:00 UTC", "succeeded"),
            ("its runner was stopped", "failed"),
        ):
            later = BEGAN + timedelta(seconds=20)
            killed = finished(143, 30, outcome=Status.KILLED, reason=reason)
            second = [("b", replace(starting(), start_time=later)), ("b", killed)]
            first = [("a", starting()), ("a", finished(0))]
            for reports in (first + second, second + first):
                summary = self.summary(*reports)
                self.assertEqual((summary.last_run_status, summary.current_status), (last, "failed"))

    def test_skipped_run(self) -> None:
        """A run that never began leaves the job as it was."""
        run = after([starting(token=MINE)], job_removed=True)
        self.assertEqual(summarize(JobSummary(), QUEUED, run, NOW), JobSummary())

    def test_end_of_an_earlier_run(self) -> None:
        """A job whose latest run is going on is `starting`, when an earlier one ends."""
        later = replace(starting(), start_time=BEGAN + timedelta(seconds=5))
        summary = self.summary(("a", starting()), ("b", later), ("a", finished(1)))
        self.assertEqual(
            summary, JobSummary(later.start_time, BEGAN + timedelta(seconds=10), "failed", "starting")
        )

    def test_result_that_comes_late(self) -> None:
        """What a runner could not deliver for an hour does not pass for the latest run."""
        early, late = BEGAN - timedelta(hours=1), BEGAN
        old = [
            replace(starting(), start_time=early),
            replace(finished(1), sent_at=early + timedelta(minutes=1)),
        ]
        new = [replace(starting(), start_time=late), finished(0)]
        in_order = [("old", each) for each in old] + [("new", each) for each in new]
        late_comer = [("new", each) for each in new] + [("old", each) for each in reversed(old)]
        self.assertEqual(self.summary(*late_comer), self.summary(*in_order))
        self.assertEqual(self.summary(*in_order).last_run_status, "succeeded")

    def test_correction(self) -> None:
        """A run that was lost and turns up with an earlier end corrects what was said of it."""
        summary = self.summary(("a", starting()), ("a", report(Report.LOST, 20)), ("a", finished(0, 10)))
        self.assertEqual((summary.last_run_status, summary.last_run_stop), ("succeeded", finished().sent_at))

    def test_wrong_clock(self) -> None:
        """A runner whose clock is a day ahead does not silence the others until tomorrow."""
        wrong = replace(starting(), start_time=NOW + timedelta(days=1))
        summary = self.summary(("a", wrong), ("b", starting()), ("b", finished(0)))
        self.assertEqual((summary.last_run_start, summary.current_status), (BEGAN, "succeeded"))

    @given(st.data())
    def test_order_of_two_runs(self, data: st.DataObject) -> None:
        """The row is the same in whatever order the reports of two runs come."""
        second = timedelta(seconds=1)
        reports = [
            ("a", starting()),
            ("a", finished(0, 10)),
            ("b", replace(starting(), start_time=BEGAN + 3 * second)),
            ("b", finished(1, 7, start_time=BEGAN + 3 * second)),
        ]
        shuffled = data.draw(st.permutations(reports))
        self.assertEqual(self.summary(*shuffled), self.summary(*reports))
