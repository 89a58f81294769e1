"""Pages and API beside a long history, and what readers do to a busy injector."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from bench.figures import Sheet, Target, percentile
from bench.history import add_history, some_run
from bench.installation import Installation
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.injector import Ground
from bench.web import Client, web_of

READERS = 50
PATHS = (
    "/",
    "/?q=job+77",
    "/?state=failed",
    "/job/{job}",
    "/job/{job}?state=failed",
    "/run/{run}",
    "/failures",
    "/categories",
    "/api/jobs?per_page=100",
    "/api/jobs?per_page=100&page=900&sort=name.asc",
    "/api/jobs/{job}",
    "/api/categories",
    "/_status",
)


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """A hundred thousand jobs with a million runs, and a web."""
    due = size(10_000, 200)
    with ExitStack() as stack:
        ground = Ground(stack, size(100_000, 1000))
        add_history(ground.installation, size(10, 3))
        port = stack.enter_context(web_of(ground.installation))
        paths = _paths(ground.installation, ground.jobs)

        def measure(sheet: Sheet) -> None:
            _read_each(port, paths, size(100, 3), sheet)
            with closing(Client(port)) as client:
                sheet.add("GET /audit of the last day", client.get("/audit") * 1000, "ms")
            sheet.add(QUIET, ground.rate(due, 1), "jobs/s")
            with _readers(port, paths):
                sheet.add(READ, ground.rate(due, 1), "jobs/s")

        yield measure


def _paths(installation: Installation, jobs: int) -> dict[str, str]:
    known = {"job": jobs // 2, "run": some_run(installation)}
    return {path: path.format(**known) for path in PATHS}


def _read_each(port: int, paths: dict[str, str], times: int, sheet: Sheet) -> None:
    worst = 0.0
    with closing(Client(port)) as client:
        for name, path in paths.items():
            took = percentile([client.get(path) for _ in range(times)], 99) * 1000
            sheet.add(f"GET {name}, p99", took, "ms")
            worst = max(worst, took)
    sheet.add(WORST, worst, "ms")


@contextmanager
def _readers(port: int, paths: dict[str, str]) -> Iterator[None]:
    """Fifty people who look at one page a second each."""
    enough = threading.Event()
    failures: list[Exception] = []

    def read(number: int) -> None:
        mine = list(paths.values())
        with closing(Client(port)) as client:
            while not enough.wait(1):
                try:
                    client.get(mine[number % len(mine)])
                except (OSError, RuntimeError) as error:
                    failures.append(error)
                    return
                number += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


WORST = "the slowest of them, p99"
QUIET, READ = "injector, nobody reads", f"injector, {READERS} readers"

SCENARIO = Scenario(
    "pages",
    "100,000 jobs with 1,000,000 runs and 2,000,000 events. Each page is fetched 100 times over one"
    " connection, from the first byte of the request to the last of the answer. Then 10,000 jobs are due"
    " at once, without readers and beside 50 who each fetch a page a second.",
    prepare,
    (
        Target("every page and address within 100 ms, 99 times of 100", WORST, at_most=100),
        Target("readers take less than 10 % of the injector's rate", READ, QUIET, at_least=0.9),
    ),
    rounds=3,
)
