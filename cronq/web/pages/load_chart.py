"""What the charts of the page Upcoming are drawn of: paths in units of their own, and labels beside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.domain.lanes import Bar
from cronq.domain.load import Load

#: The height of a chart and the width of a lane, in the units of their paths.
HEIGHT, WIDTH = 100, 1000
#: Marks on the time line, for periods up to so many days.
_MARKS = ((2, timedelta(hours=4), "%H:%M"), (30, timedelta(days=1), "%a %d"))
_FULLEST = 3
#: A minute is crowded when so many times as many runs start in it as usually, and so many at least.
_CROWD, _FEW = 3, 10


@dataclass(frozen=True, slots=True)
class TimeMark:
    """A label on the time line."""

    #: Where it is, in percent.
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class LoadChart:
    """Starts as an area, and runs at once as a line, over the bins of a load."""

    bins: int
    starts: str
    running: str
    most_starts: float
    most_running: float
    marks: tuple[TimeMark, ...]
    #: The bins in which most starts are, with their count.
    fullest: tuple[tuple[datetime, float], ...]
    #: Whether the first of them stands out.
    crowded: bool


def draw_load(load: Load, now: datetime) -> LoadChart:
    """The chart of a load."""
    fullest = load.fullest(_FULLEST)
    most = load.starts[fullest[0]] if fullest else 0.0
    return LoadChart(
        len(load.starts),
        _outline(load.starts, most),
        _outline(load.running, max(load.running), closed=False),
        most,
        max(load.running),
        time_marks(load.begin, load.end, now),
        tuple((load.moment(index), load.starts[index]) for index in fullest),
        most >= max(_CROWD * load.usual, _FEW),
    )


def draw_lane(bars: Sequence[Bar], begin: datetime, end: datetime) -> tuple[str, str]:
    """The paths of a lane: of runs, and of times in which they are too close to be told apart."""
    span = end - begin

    def path(some: Iterable[Bar]) -> str:
        parts = []
        for bar in some:
            left = max(round((bar.begin - begin) / span * WIDTH), 0)
            right = min(round((bar.end - begin) / span * WIDTH), WIDTH)
            parts.append(f"M{left} 0H{max(right, left + 1)}V10H{left}z")
        return "".join(parts)

    return path(bar for bar in bars if not bar.dense), path(bar for bar in bars if bar.dense)


def time_marks(begin: datetime, end: datetime, now: datetime) -> tuple[TimeMark, ...]:
    """Labels at round times."""
    span = end - begin
    step, form = next((step, form) for days, step, form in _MARKS if span <= timedelta(days=days))
    moment = datetime.combine(now.date(), datetime.min.time())
    marks = []
    while moment < end:
        if moment > begin:
            marks.append(TimeMark(round((moment - begin) / span * 100, 2), moment.strftime(form)))
        moment += step
    return tuple(marks)


def _outline(values: Sequence[float], most: float, *, closed: bool = True) -> str:
    """A line along the tops of bars that stand side by side; closed, it goes back along their ground."""
    if not most:
        return ""
    parts, height = [f"M0 {HEIGHT}"], HEIGHT
    for index, value in enumerate(values):
        # What is not nothing is seen, however little it is.
        top = HEIGHT - max(round(value / most * HEIGHT), 1 if value else 0)
        if top != height:
            parts.append(f"H{index}V{top}")
            height = top
    return "".join(parts) + f"H{len(values)}" + (f"V{HEIGHT}z" if closed else "")
