"""The way of a run from its slot to the ledger, step by step, and how long each step took."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronq.database.reading.runs import RunRecord
from cronq.domain.runs import Status

#: How wide all bars are together, in units of the drawing, and the narrowest of those that took any time.
WIDTH, NARROWEST = 1000, 6

#: The step at which nobody expects to hear of the run any more.
GIVEN_UP = "given up"
#: Of less than that no one can tell how far two clocks differ.
_IN_STEP = timedelta(seconds=1)
#: What was waited for, or done, until each step.
_MEANING = {
    "queued": "until an injector took it",
    "published": "until the broker had it",
    "granted": "until a runner was granted its start",
    "started": "until the runner began",
    "ended": "its command ran",
    GIVEN_UP: "until it was given up",
    "recorded": "until its end was written down",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the run, or is still to come."""

    name: str
    #: None: it has not happened yet.
    moment: datetime | None
    #: Since the step before; negative when two clocks disagree. Of the first step still to come: so far.
    gap: timedelta | None = None
    #: What was going on since the step before.
    meaning: str = ""
    #: Whether the time is that of the runner's clock, and not of the database's.
    by_runner: bool = False
    #: Whether it is the first step of its day.
    new_day: bool = False
    #: Where the bar of the time since the step before begins, and how wide it is.
    x: int = 0
    width: int = 0

    @property
    def is_at_once(self) -> bool:
        """Whether it comes before the step before it, by so little that two clocks differ as much."""
        return self.gap is not None and -_IN_STEP < self.gap < timedelta(0)

    @property
    def is_run(self) -> bool:
        """Whether the time since the step before is that of the command."""
        return self.name == "ended"


def timeline(run: RunRecord, now: datetime) -> tuple[Step, ...]:
    """The steps of the run in order; those still to come only while it has not ended."""
    steps = [
        ("due", run.slot),
        ("queued", run.queued_at),
        ("published", run.published_at),
        ("granted", run.granted_at),
        ("started", run.started_at),
        (GIVEN_UP if run.given_up else "ended", run.ended_at),
        ("recorded", run.recorded_at),
    ]
    done = [(name, moment) for name, moment in steps if moment is not None]
    by_runner = {"started", "ended"} if run.started_at else set()
    previous: datetime | None = None
    found = []
    for name, moment in done:
        gap = None if previous is None else moment - previous
        new_day = previous is None or previous.date() != moment.date()
        meaning = _meaning(name, run) if gap is not None else ""
        found.append(Step(name, moment, gap, meaning, by_runner=name in by_runner, new_day=new_day))
        previous = moment
    names = [name for name, _ in steps]
    to_come = [] if run.status.final or not done else names[names.index(done[-1][0]) + 1 :]
    if previous is not None:
        so_far = max(timedelta(0), now - previous)
        found += [
            Step(name, None, so_far if number == 0 else None, _meaning(name, run) if number == 0 else "")
            for number, name in enumerate(to_come)
        ]
    return with_bars(found)


def with_bars(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with bars that stand one after the other.

    Their widths go by the logarithm, so that milliseconds are seen beside hours.
    """
    weights = [_weight(step.gap) for step in steps]
    room = WIDTH - NARROWEST * sum(weight > 0 for weight in weights)
    share = room / (sum(weights) or 1)
    x, found = 0, []
    for step, weight in zip(steps, weights, strict=True):
        width = NARROWEST + int(weight * share) if weight else 0
        found.append(replace(step, x=x, width=width))
        x += width
    return tuple(found)


def _weight(gap: timedelta | None) -> float:
    milliseconds = max(0.0, gap / timedelta(milliseconds=1)) if gap else 0.0
    return math.log10(1 + milliseconds)


def _meaning(name: str, run: RunRecord) -> str:
    if name == "ended" and not run.status.final:
        return "its command is running"
    if name == "ended" and run.started_at is None:
        return "until it was over"
    if name == "recorded" and run.given_up:
        return "until that was written down"
    if name == "recorded" and run.ended_at is None and run.status is not Status.LOST:
        return "until it was written down"
    return _MEANING[name]
