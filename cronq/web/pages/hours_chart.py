"""What the chart of the last 24 hours is drawn of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cronq.database.reading.hours import Hours
from cronq.domain.runs import Status

#: The height of the chart, in pixels, and how much of the width of an hour its bar takes.
HEIGHT, BAR = 140.0, 0.8
#: What is not nothing is seen, however little it is.
_LEAST = 4.0


@dataclass(frozen=True, slots=True)
class Band:
    """Statuses that are drawn alike."""

    #: A class of the style sheet.
    name: str
    #: As it is called by SVG; colours alone are not for everybody.
    fill: str
    text: str
    statuses: tuple[Status, ...]


#: From the ground to the top.
BANDS = (
    Band("good", "currentcolor", "succeeded", (Status.SUCCEEDED,)),
    Band("busy", "url(#lined)", "not over yet", (Status.QUEUED, Status.RUNNING)),
    Band("warn", "url(#dotted)", "missed, skipped or killed", (Status.MISSED, Status.SKIPPED, Status.KILLED)),
    Band(
        "bad",
        "url(#hatched)",
        "came to no good end",
        (Status.FAILED, Status.TIMED_OUT, Status.LOST, Status.UNROUTABLE),
    ),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a bar; in pixels from the top."""

    band: Band
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class HourBar:
    """An hour."""

    hour: datetime
    #: Where it begins and where its middle is, in percent of the width.
    x: float
    middle: float
    blocks: tuple[Block, ...]
    #: None: nobody has counted it yet.
    counts: Mapping[Status, int] | None

    @property
    def total(self) -> int:
        """All of its runs."""
        return sum((self.counts or {}).values())


@dataclass(frozen=True, slots=True)
class HoursChart:
    """The whole chart."""

    bars: tuple[HourBar, ...]
    #: How many runs there were in the fullest hour.
    most: int
    #: The bands with their counts in all hours.
    legend: tuple[tuple[Band, int], ...]
    #: The statuses that occur.
    statuses: tuple[Status, ...]

    @property
    def total(self) -> int:
        """All runs."""
        return sum(count for _, count in self.legend)

    @property
    def fullest(self) -> HourBar:
        """The hour with most runs."""
        return max(self.bars, key=lambda bar: bar.total)

    @property
    def width(self) -> float:
        """Of a bar, in percent of the width."""
        return round(BAR / len(self.bars) * 100, 3)


def draw_hours(hours: Hours) -> HoursChart:
    """The chart of these hours."""
    most = max((sum(counts.values()) for counts in hours.counts if counts), default=0)
    room = 100 / len(hours.hours)
    bars = tuple(
        HourBar(
            hour,
            round((index + (1 - BAR) / 2) * room, 3),
            round((index + 0.5) * room, 3),
            tuple(_blocks(counts, most)) if counts else (),
            counts,
        )
        for index, (hour, counts) in enumerate(zip(hours.hours, hours.counts, strict=True))
    )
    return HoursChart(
        bars,
        most,
        tuple((band, sum(hours.total(status) for status in band.statuses)) for band in BANDS),
        tuple(status for band in BANDS for status in band.statuses if hours.total(status)),
    )


def _blocks(counts: Mapping[Status, int], most: int) -> list[Block]:
    sums = [sum(counts.get(status, 0) for status in band.statuses) for band in BANDS]
    heights = _fitted([max(count / most * HEIGHT, _LEAST) if count else 0.0 for count in sums])
    blocks, top = [], HEIGHT
    for band, height in zip(BANDS, heights, strict=True):
        top -= height
        if height:
            blocks.append(Block(band, round(top, 2), round(height, 2)))
    return blocks


def _fitted(heights: Sequence[float]) -> list[float]:
    """The same, where what is too much for the chart is taken from the largest."""
    largest = max(range(len(heights)), key=heights.__getitem__)
    excess = max(0.0, sum(heights) - HEIGHT)
    return [height - excess if index == largest else height for index, height in enumerate(heights)]
