"""A plot of each scenario: bars for what was measured, or lines where something grows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot

from bench.figures import Figure, Sheet, Who
from bench.record import Record
from bench.scenarios import growth

COLOURS = {Who.LIMIT: "#9aa5b1", Who.CRONQ: "#0b7285", Who.PEER: "#e8590c"}
LINES = {
    "bare claim loop": "#9aa5b1",
    "one injector": "#0b7285",
    "injectors": "#0b7285",
    "runners": "#e8590c",
}
#: The same figures give the same file, byte by byte.
mpl.rcParams |= {"svg.hashsalt": "cronq", "svg.fonttype": "none", "font.size": 9}


def draw(record: Record, folder: Path) -> Path:
    """Draw the record's plot; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = _lines(record.sheet) if record.scenario == growth.SCENARIO.name else _bars(record.sheet)
    path = folder / f"{record.scenario}.svg"
    picture.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": "cronq"})
    pyplot.close(picture)
    return path


def _bars(sheet: Sheet) -> Any:
    """A panel for all rates, and one for each other unit, as those have no common scale."""
    units: dict[str, list[Figure]] = {}
    for figure in sheet.figures:
        units.setdefault("per second" if figure.unit.endswith("/s") else figure.unit, []).append(figure)
    heights = [len(figures) + 1 for figures in units.values()]
    picture, panels = pyplot.subplots(
        len(units), figsize=(8, 0.32 * sum(heights) + 0.4), height_ratios=heights, squeeze=False
    )
    for panel, (unit, figures) in zip(panels.flat, units.items(), strict=True):
        _panel(panel, unit, figures)
    picture.tight_layout()
    return picture


def _panel(panel: Any, unit: str, figures: list[Figure]) -> None:
    medians = [figure.median for figure in figures]
    colours = [COLOURS[figure.who] for figure in figures]
    panel.barh(
        range(len(figures)), medians, color=colours, xerr=_spread(figures), ecolor="#343a40", capsize=2
    )
    panel.set_yticks(range(len(figures)), [figure.name for figure in figures])
    panel.invert_yaxis()
    panel.set_xlabel(unit)
    panel.spines[["top", "right"]].set_visible(False)


def _lines(sheet: Sheet) -> Any:
    """Rates among more jobs, and with more daemons."""
    picture, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.2))
    _line(left, sheet, "bare claim loop", growth.limit_name, growth.JOBS)
    _line(left, sheet, "one injector", growth.jobs_name, growth.JOBS)
    _line(right, sheet, "injectors", growth.injectors_name, growth.DAEMONS)
    _line(right, sheet, "runners", growth.runners_name, growth.DAEMONS)
    for panel, what, where in (
        (left, "jobs in the database", growth.JOBS),
        (right, "daemons", growth.DAEMONS),
    ):
        panel.set_xscale("log")
        panel.set_xticks(where, [f"{number:,}" for number in where], minor=False)
        panel.minorticks_off()
        panel.set_xlabel(what)
        panel.set_ylabel("jobs/s")
        panel.set_ylim(bottom=0)
        panel.legend(frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    picture.tight_layout()
    return picture


def _line(panel: Any, sheet: Sheet, label: str, name_of: Callable[[int], str], where: Sequence[int]) -> None:
    known = {figure.name: figure for figure in sheet.figures}
    points = {x: known[name_of(x)] for x in where if name_of(x) in known}
    figures = list(points.values())
    panel.errorbar(
        list(points),
        [figure.median for figure in figures],
        yerr=_spread(figures),
        label=label,
        color=LINES[label],
        marker="o",
        capsize=2,
    )


def _spread(figures: Sequence[Figure]) -> tuple[list[float], list[float]]:
    """How far the least and the greatest values are from the middle."""
    below = [figure.median - min(figure.values) for figure in figures]
    above = [max(figure.values) - figure.median for figure in figures]
    return below, above
