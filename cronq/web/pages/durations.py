"""How long the latest runs of a job took, as a chart: a mark for each run, and lines to hold them against."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.database.reading.runs import RunRecord
from cronq.domain.runs import Status
from cronq.domain.usual import UsualDuration
from cronq.web.words.times import duration, exact
from cronq.web.words.wording import status_word

#: The size of the picture, and what is left around the dots, in its own units.
WIDTH, HEIGHT = 520, 200
LEFT, RIGHT, TOP, BOTTOM = 62, 10, 12, 12
_MOST_TICKS = 5
#: A timeout that is so many times as long as all else is told in words: as a line it would flatten the rest.
_NEAR = 1.6
#: Distances of two lines of the axis that a person likes, in seconds, with the unit in which they are told.
_STEPS = (
    *((each, "ms", 0.001) for each in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)),
    *((each, "s", 1.0) for each in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)),
    *((each * 60.0, "min", 60.0) for each in (0.5, 1, 2, 5, 10, 20)),
    *((each * 3600.0, "h", 3600.0) for each in (0.5, 1, 2, 3, 6, 12)),
    *((each * 86_400.0, "d", 86_400.0) for each in (1, 2, 5, 10, 20, 50, 100)),
)
_RING = "M-3.8 0a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0-7.6 0z"
#: The marks of runs, drawn around the place of each.
SHAPES: Mapping[Status, str] = dict.fromkeys(Status, _RING) | {
    Status.FAILED: "M-3.6-3.6 3.6 3.6M3.6-3.6-3.6 3.6",
    Status.TIMED_OUT: f"{_RING}M0-2.4V.4H1.8",
    Status.KILLED: "M-3.4-3.4H3.4V3.4H-3.4z",
    Status.LOST: "M0-4.6 4.6 0 0 4.6-4.6 0z",
    Status.RUNNING: "M-3-4.2V4.2L4.6 0z",
}


@dataclass(frozen=True, slots=True)
class Dot:
    """A run."""

    x: float
    y: float
    run_id: str
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """What runs are held against."""

    #: `median`, `p95` or `timeout`.
    kind: str
    name: str
    span: timedelta
    #: None: it lies above the picture.
    y: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class DurationChart:
    """The whole chart."""

    dots: tuple[Dot, ...]
    levels: tuple[Level, ...]
    ticks: tuple[Tick, ...]
    #: When the first run of them was due or asked for, and the last.
    first: datetime
    last: datetime
    #: The same in a sentence.
    text: str
    #: Which statuses there are, each with its mark.
    statuses: Mapping[Status, str]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def duration_chart(
    runs: Sequence[RunRecord], usual: UsualDuration | None, timeout: timedelta | None, now: datetime
) -> DurationChart | None:
    """The chart of these runs, of which the latest comes first; None when there is nothing to be seen yet."""
    timed = [(run, span.total_seconds()) for run in reversed(runs) if (span := _span(run, now)) is not None]
    if not timed:
        return None
    levels = _levels(usual, timeout)
    high = max([*(seconds for _, seconds in timed), usual.p95 if usual else 0.0])
    high = max([high, *(span for _, _, span in levels if span <= high * _NEAR)])
    step, unit, size = _step(high)
    top = step * max(1, math.ceil(high / step))
    ticks = (each * step for each in range(round(top / step) + 1))
    return DurationChart(
        tuple(_dots(timed, top)),
        tuple(
            Level(kind, name, timedelta(seconds=span), _y(span, top) if span <= top else None)
            for kind, name, span in levels
        ),
        tuple(Tick(_y(each, top), f"{each / size:g} {unit}" if each else "0") for each in ticks),
        _moment(timed[0][0]),
        _moment(timed[-1][0]),
        _in_words([seconds for run, seconds in timed if run.status.final]),
        {run.status: SHAPES[run.status] for run, _ in timed},
    )


def _levels(usual: UsualDuration | None, timeout: timedelta | None) -> list[tuple[str, str, float]]:
    """The kind, the name and the seconds of each."""
    found = []
    if usual is not None:
        found += [("median", "median", usual.median), ("p95", "95 of 100 within", usual.p95)]
    if timeout is not None:
        found.append(("timeout", "timeout", timeout.total_seconds()))
    return found


def _span(run: RunRecord, now: datetime) -> timedelta | None:
    """How long it took, or has taken yet."""
    if run.status is Status.RUNNING and run.started_at is not None:
        return max(now - run.started_at, timedelta(0))
    return run.duration


def _step(high: float) -> tuple[float, str, float]:
    return next((each for each in _STEPS if high / each[0] <= _MOST_TICKS), _STEPS[-1])


def _dots(timed: Sequence[tuple[RunRecord, float]], top: float) -> Iterator[Dot]:
    width = WIDTH - LEFT - RIGHT
    for number, (run, seconds) in enumerate(timed):
        x = LEFT + width * (number + 0.5) / len(timed)
        took = duration(timedelta(seconds=seconds))
        so_far = " so far" if run.status is Status.RUNNING else ""
        text = f"{exact(_moment(run))}: {took}{so_far}, {status_word(run.status)}"
        yield Dot(round(x, 1), _y(seconds, top), run.run_id, run.status, text)


def _y(seconds: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * seconds / top, 1)


def _moment(run: RunRecord) -> datetime:
    moment = run.slot or run.queued_at or run.started_at
    assert moment is not None, "it was started"
    return moment


def _in_words(seconds: Sequence[float]) -> str:
    if not seconds:
        return "Its first run goes on."
    least, most = (duration(timedelta(seconds=each)) for each in (min(seconds), max(seconds)))
    took = f"took {most}" if least == most else f"took from {least} to {most}"
    return f"The last run {took}." if len(seconds) == 1 else f"The last {len(seconds)} runs {took}."
