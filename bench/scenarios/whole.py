"""All of it: 10,000 jobs that are due in the same second, until the last result."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figures import Sheet, Target
from bench.installation import seconds_between, soon
from bench.jobs import make_due
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import CONCURRENCY, Ground
from bench.use import note_costs

_RIGHT = "SELECT COUNT(*) FROM runs WHERE status = 'succeeded' AND slot = %s AND attempt = 1"
_TWICE = "SELECT COUNT(*) FROM events WHERE type = 'started_twice'"


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """One installation."""
    with ExitStack() as stack:
        ground = Ground(stack, size(10_000, 300))

        def measure(sheet: Sheet) -> None:
            sheet.add(RUNNER, ground.rate(CONCURRENCY), "jobs/s")
            _drain(ground, sheet)

        yield measure


def _drain(ground: Ground, sheet: Sheet) -> None:
    installation, count = ground.installation, ground.jobs
    installation.start("cronq-results").wait_for("connected to the broker")
    installation.start_runner(CONCURRENCY)
    (injector,) = installation.start_injectors(1)
    before, slot = installation.uses(), soon()
    make_due(installation, slot, count, count, 0)
    installation.wait_for_runs(count)
    note_costs(sheet, before, installation.uses(), count)
    published, started, recorded = installation.sql(
        "SELECT MAX(published_at), MAX(started_at), MAX(recorded_at) FROM runs"
    )[0]
    rate = count / seconds_between(slot, recorded)
    sheet.add(WHOLE, rate, "jobs/s")
    sheet.add("due until the last one is published", seconds_between(slot, published), "s")
    sheet.add(LAST, seconds_between(slot, started), "s")
    sheet.add(DRAWN, count / sheet.values(RUNNER)[-1], "s")
    wrong = count - installation.value(_RIGHT, slot) + installation.value(_TWICE)
    sheet.add(WRONG, wrong, "runs")
    installation.stop(injector, "cronq-runner", "cronq-results")
    ground.forget()


RUNNER = "the runner alone, from a full queue"
WHOLE = "due until the last result"
LAST = "due until the last one starts"
DRAWN = "the same as drawn from the runner's rate"
WRONG = "slots without one run that has succeeded, and starts too many"

SCENARIO = Scenario(
    "whole",
    "10,000 jobs are due in the same second; an injector, a runner and a results daemon are up. The rate"
    " counts from that second until the last result stands in the database, and is held against that of"
    " the runner whose queue is full already.",
    prepare,
    (
        Target("drained at the rate of the runner", WHOLE, RUNNER, at_least=0.9),
        Target("the last one as late as drawn from that rate", LAST, DRAWN, at_most=1.1),
        Target("nothing lost, nothing twice", WRONG, at_most=0),
    ),
)
