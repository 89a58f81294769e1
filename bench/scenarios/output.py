"""A job that prints a gibibyte: how fast it is written down, and what the others notice of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from bench.figures import Sheet, Target, Who
from bench.installation import Daemon, Installation, utc_now
from bench.jobs import add_grid, remove_grids
from bench.lateness import Probes, note_lateness
from bench.limits.piping import mebibytes_per_second
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import CONCURRENCY
from bench.use import MIB

#: Other jobs a second, as a gibibyte does not take long.
PROBES = 20


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """An installation with jobs that say how late they are."""
    count = size(1024, 20) * MIB
    command = f"head -c {count} /dev/zero"
    with Installation() as installation:
        installation.make_tables()
        installation.start("cronq-results").wait_for("connected to the broker")
        runner = installation.start_runner(CONCURRENCY)
        installation.start_injectors(1)
        probes = Probes(installation, PROBES)
        time.sleep(size(10, 4))

        def measure(sheet: Sheet) -> None:
            limit = mebibytes_per_second(command, count, runner.folder)
            sheet.add(LIMIT, limit, "MiB/s", Who.LIMIT)
            before = utc_now()
            time.sleep(size(10, 2))
            now = utc_now()
            note_lateness(sheet, QUIET, probes.milliseconds(before, now))
            _print(installation, runner, sheet, command, count)
            end = max(utc_now(), now + timedelta(seconds=1))
            time.sleep(2)  # until the last of them has run
            note_lateness(sheet, BESIDE, probes.milliseconds(now, end))

        yield measure
        remove_grids(installation)


def _print(installation: Installation, runner: Daemon, sheet: Sheet, command: str, count: int) -> None:
    before = runner.use
    name = f"output {utc_now():%H%M%S}"
    add_grid(installation, name, utc_now() + timedelta(seconds=3600), command)
    installation.sql("UPDATE jobs SET run_now = 1 WHERE name = %s", name)
    most = before.rss
    found: list[tuple[float | None]] = []
    while not (found and found[0][0] is not None):
        time.sleep(0.05)
        most = max(most, runner.use.rss)
        found = installation.sql(
            "SELECT run_time FROM runs JOIN jobs ON jobs.id = runs.job_id WHERE jobs.name = %s", name
        )
    log = runner.folder / f"{name.replace(' ', '-')}.log"
    lost = count - log.stat().st_size
    log.unlink()
    assert found[0][0] is not None
    sheet.add(RATE, count / MIB / found[0][0], "MiB/s")
    sheet.add("processor time of the runner", (runner.use.cpu - before.cpu) / (count / MIB) * 1e6, "µs/MiB")
    sheet.add(GROWTH, (most - before.rss) / MIB, "MiB")
    sheet.add(LOST, lost, "bytes")


LIMIT, RATE = "`cat > file` through a pipe", "cronq"
QUIET, BESIDE = "other jobs before", "other jobs meanwhile"
GROWTH, LOST = "growth of the runner's memory", "output that is missing in the log"

SCENARIO = Scenario(
    "output",
    "A job prints 1 GiB. The rate is that of the command's own time, as the runner reports it; beside it,"
    " a shell pipes the same into `cat > file` in the same folder. Twenty other jobs a second say how late"
    " they are.",
    prepare,
    (
        Target("at least 50 % of cat", RATE, LIMIT, at_least=0.5),
        Target("memory is flat (2 MiB)", GROWTH, at_most=2),
        Target("all of it is in the log", LOST, at_most=0),
        Target("no other job more than 20 ms late", f"{BESIDE}, p99", at_most=20),
    ),
)
