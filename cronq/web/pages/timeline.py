"""The way of a run from its slot to the ledger, step by step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.database.reading.runs import RunRecord


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the run, or is still to come."""

    name: str
    #: None: it has not happened yet.
    moment: datetime | None
    #: Since the step before; negative when two clocks disagree.
    gap: timedelta | None = None
    #: Whether the time is that of the runner's clock, and not of the database's.
    by_runner: bool = False
    #: Whether it is the first step of its day.
    new_day: bool = False


def timeline(run: RunRecord) -> tuple[Step, ...]:
    """The steps of the run in order; those still to come only while it has not ended."""
    steps = [
        ("due", run.slot),
        ("queued", run.queued_at),
        ("published", run.published_at),
        ("granted", run.granted_at),
        ("started", run.started_at),
        ("ended", run.ended_at),
        ("recorded", run.recorded_at),
    ]
    done = [(name, moment) for name, moment in steps if moment is not None]
    by_runner = {"started", "ended"} if run.started_at else set()
    previous: datetime | None = None
    found = []
    for name, moment in done:
        gap = None if previous is None else moment - previous
        new_day = previous is None or previous.date() != moment.date()
        found.append(Step(name, moment, gap, by_runner=name in by_runner, new_day=new_day))
        previous = moment
    names = [name for name, _ in steps]
    to_come = [] if run.status.final or not done else names[names.index(done[-1][0]) + 1 :]
    return (*found, *(Step(name, None) for name in to_come))
