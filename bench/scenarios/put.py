"""Replacing a category of 10,000 jobs by a new document, by the same, and by one with a change."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count as counting

from bench.figures import Sheet, Target
from bench.installation import Installation
from bench.scenario import Measure, Scenario, Size
from bench.web import Client, web_of


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """A web; each round puts a category of its own."""
    jobs = size(10_000, 200)
    names = counting(1)
    with Installation() as installation:
        installation.make_tables()
        with web_of(installation) as port, closing(Client(port)) as client:

            def measure(sheet: Sheet) -> None:
                path = f"/api/category/bench-{next(names)}"
                document = {"jobs": [_job(number) for number in range(jobs)]}
                sheet.add(NEW, client.put(path, document), "s")
                sheet.add(UNCHANGED, client.put(path, document), "s")
                document["jobs"][jobs // 2]["command"] = "false"
                sheet.add(CHANGED, client.put(path, document), "s")
                sheet.add("web, memory", installation.daemons["cronq-web"].use.rss / 2**20, "MiB")

            yield measure


def _job(number: int) -> dict[str, str]:
    return {
        "name": f"job {number}",
        "schedule": f"R/2026-01-01T{number % 24:02}:{number % 60:02}:{number % 59:02}Z/P1D",
        "command": f"/usr/bin/do-something --with {number}",
    }


NEW, UNCHANGED, CHANGED = "all jobs new", "none changed", "one changed"

SCENARIO = Scenario(
    "put",
    "PUT of a category with 10,000 jobs, from the first byte of the request to the last of the answer:"
    " all of them new, then the same document again, then one with one command changed.",
    prepare,
    (
        Target("new jobs in at most 3 s", NEW, at_most=3),
        Target("unchanged in at most 0.7 s", UNCHANGED, at_most=0.7),
        Target("one changed in at most 0.7 s", CHANGED, at_most=0.7),
    ),
)
