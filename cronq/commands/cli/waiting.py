"""Waiting for the end of a run that was asked for by hand."""

from collections.abc import Callable

from cronq.commands.cli.answers import Job, Run
from cronq.commands.cli.api import read_job_of
from cronq.commands.cli.exits import CommandFailed, Exit, Unreachable
from cronq.commands.cli.queued import why_queued
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import tell
from cronq.domain.runs import Status

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between two looks
#: Seconds in which the server may be restarted.
OUTAGE = 60.0
#: Seconds until it is said what the run waits for.
LONG = 10.0


class Stopwatch:
    """Measures how long the waiting takes, and pauses in between."""

    def __init__(
        self, monotonic: Callable[[], float], sleep: Callable[[float], None], timeout: float | None
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._timeout = timeout
        self._started = monotonic()
        self._pause = SHORTEST_PAUSE

    def elapsed(self) -> float:
        """Seconds since it was made."""
        return self._monotonic() - self._started

    def pause(self) -> bool:
        """Sleep a little, each time a little longer; False, and no sleep, when the time is up."""
        left = LONGEST_PAUSE if self._timeout is None else self._timeout - self.elapsed()
        if left <= 0:
            return False
        self._sleep(min(self._pause, left))
        self._pause = min(self._pause * 1.5, LONGEST_PAUSE)
        return True


class Patience:
    """Bears with a server that is away, for a while; not with one that never was there."""

    def __init__(self, stopwatch: Stopwatch, *, was_there: bool) -> None:
        self.stopwatch = stopwatch
        self._was_there = was_there
        self._away_since: float | None = None

    def is_there(self) -> None:
        """The server has answered."""
        self._was_there = True
        self._away_since = None

    def bear_with(self, error: Unreachable) -> None:
        """Say so the first time; raises the error when it has been away for too long."""
        if not self._was_there:
            raise error
        if self._away_since is None:
            self._away_since = self.stopwatch.elapsed()
            tell(f"{error}; trying again ...")
        elif self.stopwatch.elapsed() - self._away_since >= OUTAGE:
            raise error


def await_run(server: Server, job: Job, run_id: str | None, stopwatch: Stopwatch) -> Run:
    """The run by hand that was asked for when the job looked like this, as soon as it has ended.

    Without its id it is the first one by hand that was not there then.

    Raises `CommandFailed` when the time is up, when the run cannot come any more or is lost sight of, and
    when the server stays away for too long.
    """
    watch = _Watch(server, job, run_id, stopwatch)
    while True:
        watch.look()
        if watch.run is not None and watch.run.ended:
            return watch.run
        if not stopwatch.pause():
            hint = f"It is not called off; `cronq show {job.id}` shows what becomes of it."
            raise CommandFailed(f"the time is up, and {watch.state}", Exit.TIMED_OUT, hint)


class _Watch:
    """Looks for the run, and says what is new about it."""

    def __init__(self, server: Server, job: Job, run_id: str | None, stopwatch: Stopwatch) -> None:
        self.run: Run | None = None
        self._run_id = run_id
        self._server = server
        self._job = job
        self._stopwatch = stopwatch
        self._known = {run.id for run in job.runs}
        self._told = self.state
        self._changed_at = 0.0
        self._explained = False
        self._patience = Patience(stopwatch, was_there=True)

    @property
    def state(self) -> str:
        """How it stands with the run."""
        if self.run is None:
            return "no injector has taken it yet"
        where = f" on {self.run.host}" if self.run.host else ""
        return f"run {self.run.id} is {self.run.status}{where}"

    def look(self) -> None:
        """See what has become of the run."""
        try:
            job = read_job_of(self._server, self._job.id)
        except Unreachable as error:
            self._patience.bear_with(error)
            return
        self._patience.is_there()
        found = self._find(job)
        if found is None and self.run is not None:
            raise self._lost_sight(self.run)
        if found is None and job.removed_at is not None:
            raise CommandFailed("the job was removed before it ran", Exit.CONFLICT)
        self.run = found
        self._tell()

    def _find(self, job: Job) -> Run | None:
        run_id = self._run_id if self.run is None else self.run.id
        if run_id is not None:
            return next((run for run in job.runs if run.id == run_id), None)
        # The oldest: what others have asked for since comes after it.
        new = [run for run in job.runs if run.by_hand and run.id not in self._known]
        return new[-1] if new else None

    def _tell(self) -> None:
        if self.state != self._told:
            self._told, self._changed_at, self._explained = self.state, self._stopwatch.elapsed(), False
            if self.run is not None and not self.run.ended:
                tell(f"{self.state[0].upper()}{self.state[1:]}.")
        elif not self._explained and self._stopwatch.elapsed() - self._changed_at >= LONG:
            self._explained = True
            self._explain()

    def _explain(self) -> None:
        if self.run is None:
            tell("No injector has taken it yet: is one up?")
        elif self.run.status == Status.QUEUED:
            tell(why_queued(self._server, self.run.id))

    def _lost_sight(self, run: Run) -> CommandFailed:
        # The API gives the latest runs of a job, and others have come since.
        message = f"run {run.id} has not ended, and is no longer among the latest of its job"
        return CommandFailed(message, Exit.FAILURE, f"Its page is {self._server.url}run/{run.id}")
