"""Figures: what was measured several times, and the targets that they are held against."""

import enum
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


class Who(enum.StrEnum):
    """Whose figure it is."""

    #: What the machine and the servers can do when nothing but this one thing is asked of them.
    LIMIT = "limit"
    CRONQ = "cronq"
    PEER = "peer"


@dataclass(slots=True)
class Figure:
    """One thing that was measured once in each round, in the order of the rounds."""

    name: str
    unit: str
    who: Who
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one of the values."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure, or its ratio to another one, should be."""

    text: str
    figure: str
    #: The figure that it is divided by, round by round; None: it counts by itself.
    of: str | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, and what was found in each round."""

    target: Target
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one of what was found."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        """Whether the target is reached in the middle."""
        least, most = self.target.at_least, self.target.at_most
        return (least is None or self.median >= least) and (most is None or self.median <= most)


class Sheet:
    """All that one scenario measures."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, name: str, value: float, unit: str, who: Who = Who.CRONQ) -> None:
        """Note what was measured in this round. Raises ValueError when the name has another meaning."""
        figure = self._figures.setdefault(name, Figure(name, unit, who))
        if (figure.unit, figure.who) != (unit, who):
            raise ValueError(f"{name!r} is in {figure.unit}, of {figure.who}")
        figure.values.append(value)

    @property
    def figures(self) -> list[Figure]:
        """In the order in which they were first measured."""
        return list(self._figures.values())

    def values(self, name: str) -> list[float]:
        """What was measured of this so far."""
        return self._figures[name].values

    def judge(self, targets: Sequence[Target]) -> Iterator[Verdict]:
        """What became of the targets; those whose figures were not measured are passed over."""
        for target in targets:
            over = self._figures.get(target.figure)
            under = self._figures.get(target.of or "")
            if over is None or (target.of is not None and under is None):
                continue
            if under is None:
                yield Verdict(target, tuple(over.values))
            else:
                pairs = zip(over.values, under.values, strict=True)
                yield Verdict(target, tuple(value / base for value, base in pairs))

    def as_data(self) -> list[dict[str, Any]]:
        """The figures as JSON has them."""
        return [asdict(figure) for figure in self.figures]

    @classmethod
    def from_data(cls, data: Sequence[dict[str, Any]]) -> "Sheet":
        """The figures that `as_data` gave."""
        sheet = cls()
        for each in data:
            sheet._figures[each["name"]] = Figure(**each | {"who": Who(each["who"])})
        return sheet


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of them do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def in_words(value: float) -> str:
    """A number with as many digits as mean something: three, and thousands set apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
