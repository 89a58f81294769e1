"""What an installation costs in which nothing is due."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Sheet, Target, Who
from bench.installation import Installation
from bench.jobs import add_jobs
from bench.scenario import Measure, Scenario, Size


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """Jobs none of which is due for two hours, and an injector that has come to rest."""
    seconds = size(60, 3)
    with Installation() as installation:
        installation.make_tables()
        add_jobs(installation, size(100_000, 1000))

        def measure(sheet: Sheet) -> None:
            time.sleep(size(10, 0))
            _, alone, _ = _use(installation, seconds)
            sheet.add("MariaDB without cronq", alone, "% of a processor", Who.LIMIT)
            (label,) = installation.start_injectors(1)
            time.sleep(size(10, 1))
            injector, database, rows = _use(installation, seconds, label)
            installation.stop(label)
            sheet.add("injector", injector, "% of a processor")
            sheet.add("MariaDB", database, "% of a processor")
            sheet.add(BOTH, injector + database, "% of a processor")
            sheet.add(ROWS, rows, "rows/s")

        yield measure


def _use(installation: Installation, seconds: int, label: str = "") -> tuple[float, float, float]:
    """Of the daemon and of MariaDB, in percent of a processor, and the rows that MariaDB reads a second."""
    before, rows = installation.uses(), _rows_read(installation)
    time.sleep(seconds)
    after, more = installation.uses(), _rows_read(installation)
    spent = {name: (after[name].cpu - use.cpu) / seconds * 100 for name, use in before.items()}
    return spent.get(label, 0.0), spent["MariaDB"], (more - rows) / seconds


def _rows_read(installation: Installation) -> int:
    ((_, count),) = installation.sql("SHOW GLOBAL STATUS LIKE 'Innodb_rows_read'")
    return int(count)


BOTH, ROWS = "injector and MariaDB", "rows that MariaDB reads"

SCENARIO = Scenario(
    "idle",
    "100,000 jobs, none of which is due for two hours, and an injector, for a minute: processor time of"
    " the injector and of MariaDB, and the rows that InnoDB reads for it.",
    prepare,
    (
        Target("less than 0.5 % of a processor", BOTH, at_most=0.5),
        Target("no query that scans", ROWS, at_most=100),
    ),
    rounds=3,
)
