"""A backlog of reports: how fast results writes it down."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bench.broker import publish_results
from bench.figures import Sheet, Target, Who
from bench.installation import Installation, seconds_between, utc_now, wait_until
from bench.jobs import add_jobs
from bench.limits import inserting
from bench.scenario import Measure, Scenario, Size
from bench.use import note_costs
from cronq.domain.messages import Report, ResultMessage

#: How many other runs are reported between the start of a run and its end: as many as run at once.
LAG = 16
JOBS = 1000


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """Jobs, and as many queued runs as there are pairs of reports in the backlog."""
    count = size(100_000, 2000)
    with Installation() as installation:
        installation.make_tables()
        add_jobs(installation, JOBS)

        def measure(sheet: Sheet) -> None:
            sheet.add(LIMIT, inserting.inserts_per_second(installation, count), "rows/s", Who.LIMIT)
            sheet.add(RATE, _messages_per_second(installation, count, sheet), "messages/s")

        yield measure


def _messages_per_second(installation: Installation, count: int, sheet: Sheet) -> float:
    runs = count // 2
    _queue_runs(installation, runs)
    publish_results(installation.broker_url, _backlog(runs))
    daemon = installation.start("cronq-results")
    daemon.wait_for("connected to the broker")
    before = installation.uses()
    recorded = "SELECT COUNT(recorded_at) FROM runs"
    wait_until(lambda: daemon.running and installation.value(recorded) == runs, 0.25)
    note_costs(sheet, before, installation.uses(), count, "message")
    first, last = installation.sql("SELECT MIN(granted_at), MAX(recorded_at) FROM runs")[0]
    installation.stop("cronq-results")
    return count / seconds_between(first, last)


def _queue_runs(installation: Installation, runs: int) -> None:
    for table in ("runs", "events"):
        installation.sql(f"TRUNCATE {table}")
    installation.sql(
        "INSERT INTO runs (run_id, job_id, slot, status, queued_at, published_at)"
        " SELECT LPAD(HEX(seq), 32, '0'), 1 + seq %% %s, %s + INTERVAL seq SECOND, 'queued', %s, %s"
        f" FROM seq_1_to_{runs}",
        JOBS,
        utc_now(),
        utc_now(),
        utc_now(),
    )
    installation.sql("UPDATE runs SET run_id = LOWER(run_id)")


def _backlog(runs: int) -> Iterator[tuple[str, bytes]]:
    """Two reports of each run: that it may start, and a little later that it has finished."""
    running: deque[int] = deque()
    for number in range(1, runs + 1):
        yield report(number, Report.STARTING)
        running.append(number)
        if len(running) > LAG:
            yield report(running.popleft(), Report.FINISHED)
    for number in running:
        yield report(number, Report.FINISHED)


def report(number: int, kind: Report) -> tuple[str, bytes]:
    """A report of the run with that number: the id and the body of the message."""
    ended = kind is Report.FINISHED
    message = ResultMessage(
        run_id=f"{number:032x}",
        job_id=1 + number % JOBS,
        report=kind,
        sent_at=utc_now(),
        host="a-host-with-a-name",
        start_time=utc_now(),
        return_code=0 if ended else None,
        run_time=0.002 if ended else None,
        token=None if ended else f"{number:032x}",
        runner="a-host-with-a-name-0123456789ab",
    )
    return message.message_id, message.encode()


LIMIT = "bare inserts, 500 rows in a transaction"
RATE = "results daemon"

SCENARIO = Scenario(
    "results",
    "100,000 reports wait for one results daemon: 50,000 starts that ask for leave, and their 50,000"
    " ends. The rate counts from the first grant until the last end is recorded. The limit is a loop in"
    " which PyMySQL does nothing but insert 500 events and commit.",
    prepare,
    (Target("at least 40 % of bare inserts", RATE, LIMIT, at_least=0.4),),
)
