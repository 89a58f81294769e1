"""How the rates grow, and the cost: with the jobs, with the injectors, with the runners."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figures import Sheet, Who
from bench.scenario import Measure, Scenario, Size
from bench.scenarios import injector, runner

#: Among how many jobs, and how many daemons.
JOBS = 1000, 10_000, 100_000, 1_000_000
DAEMONS = 1, 2, 4, 8
#: How many jobs are due, at most.
DUE = 10_000


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """One installation for each number of jobs, and one for the runners."""
    all_jobs = JOBS[:1] if size.quick else JOBS
    daemons = DAEMONS[:2] if size.quick else DAEMONS
    with ExitStack() as stack:
        grounds = [injector.Ground(stack, jobs) for jobs in all_jobs]
        queue = runner.Ground(stack, size(DUE, 200))

        def measure(sheet: Sheet) -> None:
            for ground in grounds:
                sheet.add(limit_name(ground.jobs), ground.limit(DUE), "jobs/s", Who.LIMIT)
                sheet.add(jobs_name(ground.jobs), ground.rate(DUE, 1), "jobs/s")
            for count in daemons:
                sheet.add(injectors_name(count), grounds[-1].rate(DUE, count), "jobs/s")
            for count in daemons:
                sheet.add(runners_name(count), queue.rate(runner.CONCURRENCY, count), "jobs/s")

        yield measure


def limit_name(jobs: int) -> str:
    """The bare claim loop among so many jobs."""
    return f"bare claim loop among {jobs:,} jobs"


def jobs_name(jobs: int) -> str:
    """One injector among so many jobs."""
    return f"one injector among {jobs:,} jobs"


def injectors_name(count: int) -> str:
    """So many injectors among all the jobs."""
    return f"injectors: {count}"


def runners_name(count: int) -> str:
    """So many runners and one results daemon."""
    return f"runners: {count}"


SCENARIO = Scenario(
    "growth",
    "10,000 jobs (1,000 of 1,000) are due at once among 1,000 to 1,000,000 jobs, with one injector; among"
    " a million with 1 to 8 injectors; and 10,000 runs wait for 1 to 8 runners with one results daemon.",
    prepare,
    rounds=3,
)
