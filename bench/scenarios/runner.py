"""One runner and `true`: how fast commands are granted, run, reported and recorded."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figures import Sheet, Target, Who
from bench.installation import Installation, seconds_between, soon, wait_until
from bench.jobs import add_jobs, make_due
from bench.limits.spawning import starts_per_second
from bench.peers.celery_worker import PROCESSES, tasks_per_second
from bench.scenario import Measure, Scenario, Size
from bench.use import note_costs

#: How many commands the runner runs at once.
CONCURRENCY = 16


class Ground:
    """An installation with so many jobs, each of which waits in the queue for a runner."""

    def __init__(self, stack: ExitStack, jobs: int) -> None:
        self.jobs = jobs
        self.installation = stack.enter_context(Installation())
        self.installation.make_tables()
        add_jobs(self.installation, jobs)

    def rate(self, concurrency: int, runners: int = 1, sheet: Sheet | None = None) -> float:
        """Runs per second, from the first grant to the last result in the database.

        With a sheet, what each process has taken for each run is noted there.
        """
        self._publish()
        installation = self.installation
        installation.start("cronq-results").wait_for("connected to the broker")
        labels = [f"runner {number}" for number in range(1, runners + 1)]
        for label in labels:
            installation.start_runner(concurrency, label)
        before = installation.uses()
        done = installation.value("SELECT COUNT(recorded_at) FROM runs")
        installation.wait_for_runs(self.jobs)
        if sheet is not None:
            note_costs(sheet, before, installation.uses(), self.jobs - done)
        first, last = installation.sql("SELECT MIN(granted_at), MAX(recorded_at) FROM runs")[0]
        installation.stop(*labels, "cronq-results")
        self.forget()
        return self.jobs / seconds_between(first, last)

    def _publish(self) -> None:
        (label,) = self.installation.start_injectors(1)
        make_due(self.installation, soon(1), self.jobs, self.jobs, 0)
        published = "SELECT COUNT(published_at) FROM runs"
        wait_until(lambda: self.installation.value(published) == self.jobs, 0.25)
        self.installation.stop(label)

    def forget(self) -> None:
        """Begin again with an empty ledger."""
        for table in ("runs", "events", "runners"):
            self.installation.sql(f"TRUNCATE {table}")


def spawn_limits(sheet: Sheet, seconds: float) -> None:
    """Note how fast commands can be started here; "the best rate of a reactor" is the best of its ways."""
    ways = {
        "bare posix_spawn and pidfd, 8 at once": ("pidfd", 8),
        "bare posix_spawn and pidfd, 64 at once": ("pidfd", 64),
        "reactor.spawnProcess, 8 at once": ("spawnProcess", 8),
    }
    rates = {name: starts_per_second(way, window, seconds) for name, (way, window) in ways.items()}
    for name, rate in rates.items():
        sheet.add(name, rate, "starts/s", Who.LIMIT)
    sheet.add(BEST, max(rates.values()), "starts/s", Who.LIMIT)
    sheet.add("a loop on each processor", starts_per_second("processors", 0, seconds), "starts/s", Who.LIMIT)
    sheet.add("cronq's launcher alone, 64 at once", starts_per_second("launcher", 64, seconds), "starts/s")


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """An installation for cronq and one for Celery."""
    with ExitStack() as stack:
        ground = Ground(stack, size(10_000, 300))
        celery = stack.enter_context(Installation())

        def measure(sheet: Sheet) -> None:
            spawn_limits(sheet, 0.5 if size.quick else 2.0)
            sheet.add(RATE, ground.rate(CONCURRENCY, sheet=sheet), "jobs/s")
            if not size.quick:
                sheet.add("1 runner, 2 at once", ground.rate(2), "jobs/s")
            if size.peers:
                sheet.add(CELERY, tasks_per_second(celery, size(5000, 200)), "jobs/s", Who.PEER)

        yield measure


BEST = "best rate of a reactor"
RATE = f"1 runner, {CONCURRENCY} at once"
CELERY = f"Celery, prefork {PROCESSES}, results in the database"

SCENARIO = Scenario(
    "runner",
    "10,000 runs of `true` wait in the queue of one runner. The rate counts from the first grant until"
    " the last result stands in the database; results, RabbitMQ and MariaDB share the processors with it."
    " The limit is the best of several ways to start and reap `/bin/sh -c true` in a Twisted reactor; the"
    " peer is a Celery worker that has the same commands in the same broker, and the same database for its"
    " results.",
    prepare,
    (
        Target("at least 60 % of the best rate of a reactor", RATE, BEST, at_least=0.6),
        Target("at least 3.5 times Celery with database results", RATE, CELERY, at_least=3.5),
    ),
)
