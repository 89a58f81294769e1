"""Deleting ten million events in the background."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Sheet, Target, Who
from bench.history import add_history
from bench.installation import Daemon, Installation, utc_now
from bench.jobs import add_jobs, remove_grids
from bench.lateness import Probes, note_lateness
from bench.limits import deleting
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import CONCURRENCY
from tests.servers import sandbox

JOBS = 100_000
ROUNDS = 5


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """Events, the same again for the bare DELETE, and a job a second that says how late it is."""
    with Installation() as installation:
        installation.make_tables()
        add_jobs(installation, size(JOBS, 500))
        add_history(installation, size(50, 2))
        deleting.prepare(installation)
        events = int(installation.value("SELECT COUNT(*) FROM events"))
        installation.start("cronq-results").wait_for("connected to the broker")
        installation.start_runner(CONCURRENCY)
        installation.start_injectors(1)
        probes = Probes(installation)
        time.sleep(5)
        parts = iter([range(1 + events * n // ROUNDS, 1 + events * (n + 1) // ROUNDS) for n in range(ROUNDS)])

        def measure(sheet: Sheet) -> None:
            ids = next(parts, None)
            if ids is None:
                raise RuntimeError(f"nothing is left to be pruned after {ROUNDS} rounds")
            sheet.add(LIMIT, deleting.rows_per_second(installation, ids), "rows/s", Who.LIMIT)
            before = utc_now()
            time.sleep(size(30, 3))
            now = utc_now()
            note_lateness(sheet, QUIET, probes.milliseconds(before, now))
            sheet.add(RATE, _pruned_per_second(installation, ids), "rows/s")
            time.sleep(1)
            note_lateness(sheet, BESIDE, probes.milliseconds(now, utc_now()))

        yield measure
        remove_grids(installation)


def _pruned_per_second(installation: Installation, ids: range) -> float:
    options = ("--first", str(ids.start), "--last", str(ids.stop - 1))
    began = time.perf_counter()
    environment = {"DATABASE_URL": installation.database_url}
    Daemon(sandbox().new_folder("pruner"), environment, "cronq-pruner", *options).wait()
    return len(ids) / (time.perf_counter() - began)


LIMIT, RATE = "bare DELETE, 100 rows in a transaction", "cronq-pruner"
QUIET, BESIDE = "a job before", "a job meanwhile"

SCENARIO = Scenario(
    "pruning",
    "10,000,000 events of 5,000,000 runs: `cronq-pruner --first A --last B` deletes a fifth of them in"
    " each round, while a job a second says how late it is. The limit deletes the same rows of a copy of"
    " the table, as many at a time, and asks nothing.",
    prepare,
    (
        Target("at least 50 % of a bare DELETE", RATE, LIMIT, at_least=0.5),
        Target("a job is as late as before (twice at most)", f"{BESIDE}, p50", f"{QUIET}, p50", at_most=2),
    ),
    rounds=ROUNDS,
)
