"""One run on this machine: from the start that was granted to the report of its end."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker
from cronq.domain.durations import Duration
from cronq.domain.errors import CannotStart
from cronq.domain.messages import JobMessage, Report, ResultMessage
from cronq.domain.outputs import Stream
from cronq.domain.runs import Status
from cronq.execution.interface import Command, Ended, Launcher, OnOutput, RunningCommand
from cronq.execution.leftovers import Leftover, boot_id
from cronq.services.keeping import Keeper
from cronq.services.reporting import Reports
from cronq.services.showing import Showing

log = Logger()


class Output(Protocol):
    """Where the output of one run goes."""

    def write(self, stream: Stream, data: bytes) -> None:
        """Keep these bytes; never raises."""

    def close(self) -> None:
        """The run is over. (What leftovers of it still write may follow.)"""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every run of a runner is given."""

    launcher: Launcher
    #: Where output is shown while somebody looks on.
    broker: Broker
    reports: Reports
    clock: IReactorTime
    now: Callable[[], datetime]
    #: Opens the output of a run of the job with this name.
    open_output: Callable[[JobMessage], Output]
    #: The environment of commands, to which each run's own variables are added.
    environment: Mapping[str, str]
    host: str
    runner: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ends when its exit code alone does not say it."""

    outcome: Status
    reason: str | None = None


class Run:
    """Starts the command, waits for its end and reports it."""

    def __init__(self, job: JobMessage, place: Workplace) -> None:
        self.job = job
        self._place = place
        self._command: RunningCommand | None = None
        self._keeper = Keeper(job.rules.output_limit)
        self._showing: Showing | None = None
        #: The first reason counts.
        self._ending: Ending | None = None

    async def run(self) -> None:
        """Fires when the command has ended and its report is noted."""
        output = self._place.open_output(self.job)
        on_output = self._keeping(output) if self.job.rules.output_limit else output.write
        started_at = self._place.now()
        try:
            self._command = self._place.launcher.launch(self._describe(), on_output)
        except Exception as error:
            output.close()
            self._not_started(started_at, error)
            return
        self._note_start(self._command)
        ended = await self._within_time(self._command)
        output.close()
        if self._showing is not None:
            self._showing.close()
        self._finish(started_at, ended)

    def _keeping(self, output: Output) -> OnOutput:
        def received(stream: Stream, data: bytes) -> None:
            output.write(stream, data)
            self._keeper.take(stream, data)
            if self._showing is not None:
                self._showing.take(stream, data)

        return received

    def show(self, address: str, seconds: float) -> None:
        """Send what it writes to an address, for so long; of a job that keeps no output, nothing is sent."""
        if not self.job.rules.output_limit:
            return
        if self._showing is None:
            place = self._place
            self._showing = Showing(place.broker, place.clock, self.job.run_id, self._keeper)
        self._showing.show(address, seconds)

    def call_off(self, reason: str) -> None:
        """Report that it was killed before it was started here."""
        log.info("job {job_id} ({name!r}) run {run_id}: not started: {why}", why=reason, **self._names())
        self._report(Report.FAILED, self._place.now(), run_time=0.0, reason=reason, outcome=Status.KILLED)

    def kill(self, reason: str, at_most: float = math.inf) -> None:
        """End the command: SIGTERM to its process group, and SIGKILL after the grace that its job has set.

        `at_most` is the longest grace, in seconds. A command that has exited keeps its own end.
        """
        self._end(Ending(Status.KILLED, reason), at_most)

    async def _within_time(self, command: RunningCommand) -> Ended:
        timeout = self.job.rules.timeout
        if timeout is None:
            return await command.ended
        deadline = self._place.clock.callLater(timeout.total_seconds(), self._time_out, timeout)
        ended = await command.ended
        if deadline.active():
            deadline.cancel()
        return ended

    def _time_out(self, timeout: timedelta) -> None:
        reason = f"it ran longer than its timeout of {Duration(0, timeout).in_words()}"
        self._end(Ending(Status.TIMED_OUT, reason))

    def _end(self, ending: Ending, at_most: float = math.inf) -> None:
        command = self._command
        if command is None or command.has_exited:
            return
        if self._ending is None:
            log.warn(
                "job {job_id} ({name!r}) run {run_id} is ended: {why}", why=ending.reason, **self._names()
            )
            self._ending = ending
        command.terminate(min(self.job.rules.kill_grace.total_seconds(), at_most))

    def _not_started(self, started_at: datetime, error: Exception) -> None:
        if not isinstance(error, CannotStart):
            log.failure("run {run_id} met a fault in the runner", run_id=self.job.run_id)
        why = str(error) or type(error).__name__
        log.error("job {job_id} ({name!r}) run {run_id}: cannot be started: {why}", why=why, **self._names())
        self._report(Report.FAILED, started_at, run_time=0.0, reason=why)

    def _note_start(self, command: RunningCommand) -> None:
        leftover = Leftover(self.job.run_id, command.pid, command.process_start, boot_id())
        self._place.reports.notebook.note_started(self.job.job_id, leftover)
        log.info("job {job_id} ({name!r}) run {run_id}: started", **self._names())

    def _finish(self, started_at: datetime, ended: Ended) -> None:
        log.info(
            "job {job_id} ({name!r}) run {run_id}: ended with {code} after {seconds:.3f} s",
            code=ended.return_code,
            seconds=ended.run_time,
            **self._names(),
        )
        ending = self._ending or _judge(ended.return_code, self.job.rules.success_codes)
        self._report(
            Report.FINISHED,
            started_at,
            return_code=ended.return_code,
            run_time=ended.run_time,
            reason=ending.reason if ending else None,
            outcome=ending.outcome if ending else None,
            output=self._keeper.kept(),
        )

    def _report(self, report: Report, started_at: datetime, **values: object) -> None:
        place = self._place
        message = ResultMessage(
            run_id=self.job.run_id,
            job_id=self.job.job_id,
            report=report,
            sent_at=place.now(),
            host=place.host,
            start_time=started_at,
            runner=place.runner,
            **values,  # type: ignore[arg-type]
        )
        place.reports.report(message)

    def _names(self) -> dict[str, object]:
        return {"job_id": self.job.job_id, "name": self.job.name, "run_id": self.job.run_id}

    def _describe(self) -> Command:
        rules = self.job.rules
        return Command(
            self.job.command,
            self._place.environment,
            {**rules.environment, **self._own_variables()},
            shell=rules.shell,
            arguments=self.job.arguments,
            directory=rules.directory,
            user=rules.user,
            umask=None if rules.umask is None else int(rules.umask, 8),
        )

    def _own_variables(self) -> dict[str, str]:
        slot = self.job.slot
        return {
            "CRONQ_JOB_ID": str(self.job.job_id),
            "CRONQ_JOB_NAME": self.job.name.replace("\0", ""),
            "CRONQ_RUN_ID": self.job.run_id,
            "CRONQ_SLOT": slot.isoformat() + "Z" if slot else "",
            "CRONQ_ATTEMPT": str(self.job.attempt),
        }


def _judge(code: int, success_codes: Collection[int]) -> Ending | None:
    """What is to be said of an exit code whose meaning is not the usual one."""
    if (code == 0) == (code in success_codes):
        return None
    if code:
        return Ending(Status.SUCCEEDED)
    expected = ", ".join(map(str, success_codes))
    return Ending(Status.FAILED, f"success would be exit {expected}")
