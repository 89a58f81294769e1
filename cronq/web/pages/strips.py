"""The latest runs of a job as bars: by shape and colour how each ended, by height how long it took."""

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cronq.database.reading.brief_runs import Bar, BriefRun
from cronq.domain.runs import Status
from cronq.domain.usual import UsualDuration
from cronq.web.words.times import relative
from cronq.web.words.wording import status_word

#: How far apart bars are and how tall they can be, in units of about a pixel, and where the first of them is.
#: The base line of a strip is at 0, and marks are below it.
_STEP, _TALLEST, _LEAST, _FIRST = 5, 24, 3, 2
#: So much taller is the bar of a run that took twice as long.
_DOUBLE = 6
#: Seconds that are added to all: of what is over in a moment, half as long is as good.
_MOMENT = 0.2


@dataclass(frozen=True, slots=True)
class Strip:
    """What a template draws: the data of paths, by the kind of bar. The latest run is the last one."""

    #: Succeeded: solid.
    good: str
    #: Came to no good end: solid, with a mark below.
    bad: str
    marks: str
    #: Nobody let it come to an end: hollow.
    warn: str
    #: Has not ended: dashed.
    busy: str
    #: Did not run, or not yet: a dash.
    idle: str
    #: The same in words.
    label: str


def strip(
    bars: Sequence[Bar], usual: UsualDuration | None, latest_trouble: BriefRun | None, now: datetime
) -> Strip:
    """The strip of these runs, the latest first. Half as tall as the tallest is what is usual."""
    middle = usual.median if usual else _middle(bars)
    paths: dict[str, list[str]] = {kind: [] for kind in ("good", "bad", "marks", "warn", "busy", "idle")}
    for number, bar in enumerate(bars):
        x = _FIRST + (len(bars) - 1 - number) * _STEP
        for kind, path in _bar(bar, x, _height(bar.took, middle)):
            paths[kind].append(path)
    drawn = {kind: "".join(each) for kind, each in paths.items()}
    return Strip(**drawn, label=_label(bars, latest_trouble, now))


def _bar(bar: Bar, x: int, height: int) -> Iterator[tuple[str, str]]:
    """The paths of a bar, by their kinds."""
    match bar.status:
        case Status.SUCCEEDED:
            yield "good", f"M{x} 0v-{height}"
        case Status.FAILED | Status.TIMED_OUT | Status.UNROUTABLE:
            yield "bad", f"M{x} 0v-{height}"
            yield "marks", f"M{x - 2} 5l2-4 2 4z"
        case Status.KILLED | Status.LOST | Status.MISSED:
            yield "warn", f"M{x - 1} 0v-{height}h2v{height}z"
        case Status.RUNNING:
            yield "busy", f"M{x} 0v-{_TALLEST // 2}"
        case Status.QUEUED | Status.SKIPPED:
            yield "idle", f"M{x - 2}-1h4"


def _middle(bars: Sequence[Bar]) -> float:
    took = [bar.took for bar in bars if bar.took is not None]
    return statistics.median(took) if took else 0.0


def _height(took: float | None, middle: float) -> int:
    if took is None:
        return _TALLEST // 2
    times = math.log2((took + _MOMENT) / (middle + _MOMENT))
    return round(max(_LEAST, min(_TALLEST, _TALLEST / 2 + _DOUBLE * times)))


def _label(bars: Sequence[Bar], latest_trouble: BriefRun | None, now: datetime) -> str:
    """`28 succeeded, 2 failed, latest failed 3 minutes ago`."""
    counts = Counter(bar.status for bar in bars)
    words = [f"{count} {status_word(status)}" for status, count in counts.most_common()]
    if latest_trouble is not None and latest_trouble.at is not None:
        words.append(f"latest {status_word(latest_trouble.status)} {relative(latest_trouble.at, now)}")
    return ", ".join(words)
