"""Pages and API beside a long history, and what readers do to a busy injector."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from bench.addresses import AUDITS, Addresses
from bench.dataset import furnish
from bench.figures import Sheet, Target, percentile
from bench.plans import Plans
from bench.readers import READERS, hasty, lookers_on
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.injector import Ground
from bench.web import Client, GoesOn, web_of

#: Rows of a table that a statement may walk over.
MOST_ROWS = 1000


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """A hundred thousand jobs with a million runs, and a web."""
    due = size(10_000, 200)
    with ExitStack() as stack:
        ground = Ground(stack, size(100_000, 1000))
        furnish(ground.installation, size(1_000_000, 5000))
        port = stack.enter_context(web_of(ground.installation))
        paths = _without_end(port, Addresses(ground.installation).all())
        plans = stack.enter_context(closing(Plans(ground.installation.database_url, MOST_ROWS)))

        def measure(sheet: Sheet) -> None:
            _read_each(port, paths, size(100, 3), sheet)
            _look_at_plans(plans, paths, sheet)
            with closing(Client(port)) as client:
                for path in AUDITS:
                    sheet.add(f"GET {path} of the last day", client.get(path) * 1000, "ms")
            sheet.add(QUIET, ground.rate(due, 1), "jobs/s")
            for name, readers in ((READ, lookers_on), (RUSHED, hasty)):
                with readers(port, list(paths.values())):
                    sheet.add(name, ground.rate(due, 1), "jobs/s")

        yield measure


def _without_end(port: int, paths: Mapping[str, str]) -> dict[str, str]:
    """Those of the addresses whose answers come to an end."""
    found = {}
    for name, path in paths.items():
        with closing(Client(port)) as client:
            try:
                client.get(path)
            except GoesOn:
                continue
        found[name] = path
    return found


def _read_each(port: int, paths: Mapping[str, str], times: int, sheet: Sheet) -> None:
    worst = largest = 0.0
    with closing(Client(port)) as client:
        for name, path in paths.items():
            took = [client.get(path) * 1000 for _ in range(times)]
            sheet.add(f"GET {name}, p50", percentile(took, 50), "ms")
            sheet.add(f"GET {name}, p99", percentile(took, 99), "ms")
            worst = max(worst, percentile(took, 99))
            largest = max(largest, client.size if "/api/" not in name else 0)
    sheet.add(WORST, worst, "ms")
    sheet.add(LARGEST, largest / 1000, "KB")


def _look_at_plans(plans: Plans, paths: Mapping[str, str], sheet: Sheet) -> None:
    found = plans.scans(paths)
    for each in found:
        print(each, file=sys.stderr, flush=True)
    sheet.add(SCANS, len(found), "statements")


WORST, LARGEST = "the slowest of them, p99", "the largest page"
SCANS = "statements that read a table in full"
QUIET, READ = "injector, nobody reads", f"injector, {READERS} readers"
RUSHED = f"injector, {READERS} who open a page a second each"

SCENARIO = Scenario(
    "pages",
    "100,000 jobs of a hundred teams with 1,000,000 runs and 2,000,000 events. Each page, each address of the"
    " API, and the list of jobs in all its orders is fetched 100 times over one connection, from the first"
    " byte of the request to the last of the answer, and MariaDB is asked how it goes about each statement."
    " Then 10,000 jobs are due at once: without readers, beside 50 who have a page open that reads itself"
    " again whenever the web says that it has changed, and beside 50 who open a page a second each.",
    prepare,
    (
        Target("every page and address within 100 ms, 99 times of 100", WORST, at_most=100),
        Target("every page has less than 100 KB", LARGEST, at_most=100),
        Target("no statement of a page reads a large table in full", SCANS, at_most=0),
        Target("readers take less than 10 % of the injector's rate", READ, QUIET, at_least=0.9),
    ),
    rounds=3,
)
