"""Everything in one process, with SQLite: how fast `true` is run and recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.embedded import Embedded
from bench.figures import Sheet, Target
from bench.installation import seconds_between, soon, wait_until
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import BEST, CONCURRENCY, spawn_limits


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """Nothing: each round has a new folder."""
    count = size(5000, 200)

    def measure(sheet: Sheet) -> None:
        spawn_limits(sheet, size(4, 1) / 2)
        slot = soon(size(15, 5))
        jobs = [
            {"name": f"job {number}", "command": "true", "schedule": f"R1/{slot.isoformat()}Z/P1D"}
            for number in range(count)
        ]
        with Embedded(jobs, CONCURRENCY) as cronq:
            wait_until(lambda: cronq.sql("SELECT 1 FROM runs LIMIT 1"), 0.1)
            before = cronq.daemon.use
            cronq.wait_for_runs(count)
            first, last = cronq.instants("SELECT MIN(granted_at), MAX(recorded_at) FROM runs")
            spent = cronq.daemon.use.cpu - before.cpu
        sheet.add("processor time of cronq", spent / count * 1e6, "µs/run")
        sheet.add(RATE, count / seconds_between(first, last), "jobs/s")

    yield measure


RATE = f"embedded, {CONCURRENCY} at once"

SCENARIO = Scenario(
    "embedded",
    "5,000 jobs `true` are due in the same second in `twistd cronq`, with SQLite and the broker in"
    " memory. The rate counts from the first grant until the last result is recorded; the jobs are"
    " injected meanwhile.",
    prepare,
    (
        Target("at least 500 jobs/s", RATE, at_least=500),
        Target("beside the best rate of a reactor", RATE, BEST),
    ),
    rounds=3,
)
