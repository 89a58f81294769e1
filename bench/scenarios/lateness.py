"""How late a lone job is, and how late it is among others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from bench.figures import Sheet, Target, Who
from bench.installation import Installation, soon, utc_now, wait_until
from bench.jobs import add_grid, remove_grids
from bench.lateness import BareTimer, Probes, note_lateness, stages
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import CONCURRENCY

BACKGROUND = 200


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """A new installation for each round and each load."""
    seconds = size(300, 5)

    def measure(sheet: Sheet) -> None:
        _measure(sheet, seconds, ALONE, 0)
        _measure(sheet, seconds, BUSY, size(BACKGROUND, 20))

    yield measure


def _measure(sheet: Sheet, seconds: int, what: str, background: int) -> None:
    with Installation() as installation:
        installation.make_tables()
        installation.start("cronq-results").wait_for("connected to the broker")
        installation.start_runner(CONCURRENCY)
        installation.start_injectors(1)
        start = soon(2)
        for number in range(background):
            offset = timedelta(seconds=(number + 0.5) / background)
            add_grid(installation, f"background {number}", start + offset, "true")
        probes = Probes(installation)
        bare = BareTimer(seconds)
        time.sleep(max(0.0, (probes.start - utc_now()).total_seconds()))
        bare.start()
        end = probes.start + timedelta(seconds=seconds)
        wait_until(lambda: utc_now() > end, 0.5)
        remove_grids(installation)
        wait_until(lambda: not installation.value("SELECT COUNT(*) FROM runs WHERE recorded_at IS NULL"), 0.2)
        bare.join()
        late = probes.milliseconds(probes.start, end)
        parts = stages(installation, probes.start, end)
    note_lateness(sheet, f"bare timer and shell, {what}", bare.milliseconds, Who.LIMIT)
    note_lateness(sheet, f"cronq, {what}", late)
    for name, value in parts.items():
        sheet.add(f"{name}, {what}, p50", value, "ms")
    sheet.add(f"runs that are missing, {what}", seconds - len(late), "runs")


ALONE, BUSY = "alone", f"beside {BACKGROUND} jobs/s"

SCENARIO = Scenario(
    "lateness",
    "One job a second for ten minutes in all: from the instant at which it is due until its command says"
    " the time, which includes the shell, `date`, and the leave to start. At the same time, half a second"
    " apart, a bare loop sleeps and starts the same command. Then the same beside 200 other jobs a second,"
    " each due at another millisecond.",
    prepare,
    (
        Target("half of them at most 10 ms late", f"cronq, {ALONE}, p50", at_most=10),
        Target("99 of 100 at most 20 ms late", f"cronq, {ALONE}, p99", at_most=20),
        Target("beside others, 99 of 100 at most 100 ms", f"cronq, {BUSY}, p99", at_most=100),
        Target("none is missing", f"runs that are missing, {ALONE}", at_most=0),
    ),
    rounds=2,
)
