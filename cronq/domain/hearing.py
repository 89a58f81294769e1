"""Whom a results daemon hears, and what it may conclude from a silence.

Silence says something only to who would have heard: so it is counted from the moment since which this daemon
has been connected, the queue of reports has been empty again and again, and everybody who takes from that
queue has been seen to record what it takes. An outage of the broker, of the database or of results, however
long, therefore makes nothing lost.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cronq.domain.heartbeats import INTERVAL, ResultsHeartbeat, RunnerHeartbeat, RunnerStatus
from cronq.domain.reports import Loss

#: Seconds that a report may be on its way into the ledger while a results daemon counts as up to date.
LARGEST_LAG = 5.0


@dataclass(frozen=True, slots=True)
class GrantedRun:
    """A run that is running, as far as the ledger knows."""

    run_id: str
    runner: str
    #: When its start was asked for, by the runner's clock.
    asked_at: datetime


@dataclass(slots=True)
class _Runner:
    latest: RunnerHeartbeat
    heard_at: float
    #: The heartbeats that may still have to settle, with the times at which they were heard.
    unsettled: deque[tuple[float, RunnerHeartbeat]] = field(default_factory=deque)
    #: The latest that has settled.
    settled: tuple[float, RunnerHeartbeat] | None = None

    def settle(self, until: float) -> None:
        while self.unsettled and self.unsettled[0][0] <= until:
            self.settled = self.unsettled.popleft()


class Hearing:
    """What one results daemon has heard. All times are seconds of its monotonic clock."""

    def __init__(self, daemon: str, lost_after: float, interval: float = INTERVAL) -> None:
        """`daemon` is its own name in heartbeats; `lost_after` in seconds, as the interval of heartbeats."""
        self._daemon = daemon
        self._lost_after = lost_after
        # So long without a heartbeat, a look at the queue, or a moment in which it is empty: that is usual.
        self._tolerance = 1.5 * interval
        # By then all reports that were sent before a heartbeat are surely in the ledger.
        self._settled_after = 2 * interval
        self._runners: dict[str, _Runner] = {}
        self._listeners: dict[str, tuple[float, ResultsHeartbeat]] = {}
        self._looked_at = self._empty_at = float("-inf")
        #: Since when a silence counts; None while it does not.
        self.clear_since: float | None = None

    def hear_runner(self, said: RunnerHeartbeat, now: float) -> bool:
        """A runner has said something. Gives whether it is news: of who is there, or how he is."""
        known = self._runners.get(said.runner)
        runner = known or _Runner(said, now)
        is_news = (
            known is None or known.latest.status is not said.status or known.heard_at < now - self._tolerance
        )
        self._runners[said.runner] = runner
        runner.latest, runner.heard_at = said, now
        runner.unsettled.append((now, said))
        return is_news

    def hear_results(self, said: ResultsHeartbeat, now: float) -> None:
        """A results daemon has said something; it may be this one."""
        if said.stopped:
            self._listeners.pop(said.daemon, None)
        else:
            self._listeners[said.daemon] = now, said

    def deafen(self) -> None:
        """The connection was another one meanwhile, or is not there: something may have been missed."""
        self.clear_since = None
        self._listeners.clear()

    def look(self, waiting: int, consumers: int, now: float) -> bool:
        """The queue of reports as it is now: messages in nobody's hand, and how many take from it.

        Gives whether silence counts at this moment.
        """
        gap, self._looked_at = now - self._looked_at, now
        if not waiting:
            self._empty_at = now
        self._forget_gone(now)
        up_to_date = [
            name for name, (heard_at, said) in self._listeners.items()
            if heard_at >= now - self._tolerance and said.lag <= LARGEST_LAG
        ]  # fmt: skip
        clear = (
            gap <= self._tolerance
            and self._empty_at >= now - self._tolerance
            and self._daemon in up_to_date
            and len(up_to_date) == consumers
        )
        if not clear:
            self.clear_since = None
        elif self.clear_since is None:
            self.clear_since = now
        return clear

    @property
    def silence_counts(self) -> bool:
        """Whether somebody could be called silent, had he been silent since silence counts."""
        return self.clear_since is not None and self._looked_at - self.clear_since >= self._lost_after

    def judge(self, running: Iterable[GrantedRun], now: float) -> list[Loss]:
        """Which of the runs that are running are lost."""
        for runner in self._runners.values():
            runner.settle(now - self._settled_after)
        losses = (self._judge(run, now) for run in running)
        return [loss for loss in losses if loss is not None]

    def _judge(self, run: GrantedRun, now: float) -> Loss | None:
        if self.clear_since is None:
            return None
        runner = self._runners.get(run.runner)
        if runner is not None and not self._holds(runner, run):
            stopped = runner.latest.status is RunnerStatus.STOPPED
            why = "its runner has ended without it" if stopped else "its runner does not know of it"
            return Loss(run.run_id, run.runner, why, abandoned=False)
        heard_at = self.clear_since if runner is None else max(self.clear_since, runner.heard_at)
        if now - heard_at < self._lost_after:
            return None
        why = f"its runner has not been heard of for {self._lost_after:g} seconds"
        return Loss(run.run_id, run.runner, why, abandoned=True)

    def _holds(self, runner: _Runner, run: GrantedRun) -> bool:
        """Whether the runner has the run, or may have it: what it says counts only when it has settled."""
        assert self.clear_since is not None
        if runner.settled is None or runner.settled[0] < self.clear_since:
            return True
        said = runner.settled[1]
        if run.run_id in said.holds | runner.latest.holds:
            return True
        # Who has ended asks for nothing more; that may be told by another one, whose clock is another.
        return said.status is not RunnerStatus.STOPPED and run.asked_at >= said.sent_at

    def _forget_gone(self, now: float) -> None:
        """Forget who has not been heard for so long that it does not matter when that was."""
        longest = max(self._lost_after, self._settled_after) + self._tolerance
        self._listeners = _heard_since(self._listeners, now - longest)
        gone = [name for name, runner in self._runners.items() if runner.heard_at < now - 2 * longest]
        for name in gone:
            del self._runners[name]


def _heard_since(
    listeners: Mapping[str, tuple[float, ResultsHeartbeat]], then: float
) -> dict[str, tuple[float, ResultsHeartbeat]]:
    return {name: heard for name, heard in listeners.items() if heard[0] >= then}
