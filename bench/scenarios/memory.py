"""How much memory the daemons take after many runs, and whether it grows."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from bench.embedded import Embedded
from bench.figures import Sheet, Target
from bench.installation import soon
from bench.jobs import make_due
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.runner import CONCURRENCY, Ground
from bench.use import MIB, Use
from bench.web import Client, web_of

DAEMONS = "cronq-injector", "cronq-results", "cronq-runner", "cronq-web"
PAGES = "/", "/failures", "/api/jobs?per_page=100", "/job/1"


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """One installation, whose jobs are due again and again."""
    at_once, times = size(10_000, 100), size(10, 2)
    with ExitStack() as stack:
        ground = Ground(stack, at_once)
        port = stack.enter_context(web_of(ground.installation))

        def measure(sheet: Sheet) -> None:
            _measure(sheet, ground, port, times)
            _measure_embedded(sheet, size(1000, 50), size(100, 4))

        yield measure


def _measure(sheet: Sheet, ground: Ground, port: int, times: int) -> None:
    installation = ground.installation
    installation.start("cronq-results").wait_for("connected to the broker")
    installation.start_runner(CONCURRENCY)
    installation.start("cronq-injector").wait_for("connected to the broker")
    seen: list[Mapping[str, Use]] = []
    with closing(Client(port)) as client:
        for number in range(1, times + 1):
            make_due(installation, soon(1), ground.jobs, ground.jobs, 0)
            installation.wait_for_runs(number * ground.jobs)
            for page in PAGES:
                client.get(page)
            seen.append(installation.uses())
    for name in DAEMONS:
        note_memory(sheet, name, [uses[name].rss for uses in seen])
    sheet.add(WORST, max(seen[-1][name].rss for name in DAEMONS) / MIB, "MiB")
    installation.stop("cronq-injector", "cronq-runner", "cronq-results")
    ground.forget()


def _measure_embedded(sheet: Sheet, jobs: int, slots: int) -> None:
    schedule = f"R{slots}/{soon(10).isoformat()}Z/PT4S"
    document = [{"name": f"job {number}", "command": "true", "schedule": schedule} for number in range(jobs)]
    seen: list[int] = []
    with Embedded(document, CONCURRENCY) as cronq:
        for part in range(1, 11):
            cronq.wait_for_runs(jobs * slots * part // 10)
            seen.append(cronq.daemon.use.rss)
    note_memory(sheet, "embedded, all in one", seen)


def note_memory(sheet: Sheet, name: str, seen: list[int]) -> None:
    """Note the memory at the end, and by how much it has grown since half of the runs."""
    half = seen[len(seen) // 2 - 1]
    sheet.add(f"{name}, memory", seen[-1] / MIB, "MiB")
    sheet.add(f"{name}, growth in the second half", (seen[-1] - half) / half * 100, "%")


WORST = "the largest daemon, memory"

SCENARIO = Scenario(
    "memory",
    "100,000 runs of `true` by an injector, a runner and a results daemon, and a web of which pages are"
    " fetched meanwhile; then 100,000 in one process with SQLite. Resident memory at the end, and by how"
    " much it has grown since half of them.",
    prepare,
    (
        Target("each daemon at most 60 MiB", WORST, at_most=60),
        *(Target(f"{name} is flat", f"{name}, growth in the second half", at_most=2) for name in DAEMONS),
        Target("embedded at most 90 MiB", "embedded, all in one, memory", at_most=90),
    ),
    rounds=1,
)
