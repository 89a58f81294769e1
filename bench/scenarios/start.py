"""How long each daemon takes from its start until it does its work."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from bench.broker import publish_results
from bench.embedded import Embedded
from bench.figures import Sheet, Target, Who
from bench.installation import Installation, wait_until
from bench.jobs import add_jobs
from bench.limits.starting import seconds_to_start
from bench.scenario import Measure, Scenario, Size
from bench.scenarios.results import report
from bench.web import Client
from cronq.domain.messages import Report
from tests.servers import free_port

_LOOK = 0.005


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """An installation with one job, which is wanted by hand; it is new for each round."""

    def measure(sheet: Sheet) -> None:
        sheet.add(LIMIT, seconds_to_start(), "s", Who.LIMIT)
        took = {}
        with Installation() as installation:
            installation.make_tables()
            add_jobs(installation, 1)
            took["cronq-injector"] = _injector(installation)
            took["cronq-runner"] = _runner(installation)
            took["cronq-results"] = _results(installation)
            took["cronq-web"] = _web(installation)
        took["cronq, all in one"] = _embedded()
        for name, seconds in took.items():
            sheet.add(name, seconds, "s")
        sheet.add(SLOWEST, max(took.values()), "s")

    yield measure


def _until(start: Callable[[], Any], works: Callable[[], Any]) -> float:
    began = time.perf_counter()
    start()
    wait_until(works, _LOOK)
    return time.perf_counter() - began


def _injector(installation: Installation) -> float:
    """Until a run by hand is published."""
    installation.sql("UPDATE jobs SET run_now = 1")
    published = "SELECT COUNT(published_at) FROM runs"
    return _until(lambda: installation.start("cronq-injector"), lambda: installation.value(published))


def _runner(installation: Installation) -> float:
    """Until the run, for which a message is waiting, has been granted."""
    installation.start("cronq-results", label="others").wait_for("connected to the broker")
    granted = "SELECT COUNT(granted_at) FROM runs"
    took = _until(lambda: installation.start("cronq-runner"), lambda: installation.value(granted))
    wait_until(lambda: installation.value("SELECT COUNT(recorded_at) FROM runs"))
    installation.stop("others")
    return took


def _results(installation: Installation) -> float:
    """Until a report, which is waiting, has been recorded."""
    installation.sql("UPDATE runs SET run_id = %s, status = 'queued', granted_at = NULL", f"{1:032x}")
    publish_results(installation.broker_url, [report(1, Report.STARTING)])
    granted = "SELECT COUNT(granted_at) FROM runs"
    return _until(lambda: installation.start("cronq-results"), lambda: installation.value(granted))


def _web(installation: Installation) -> float:
    """Until a page is answered."""
    port = free_port()
    return _until(lambda: installation.start("cronq-web", PORT=str(port)), lambda: _answers(port))


def _embedded() -> float:
    began = time.perf_counter()
    with Embedded([], concurrency=2) as cronq:
        wait_until(lambda: _answers(cronq.port), _LOOK)
        return time.perf_counter() - began


def _answers(port: int) -> bool:
    with closing(Client(port)) as client:
        try:
            client.get("/")
        except (OSError, RuntimeError):
            return False
    return True


LIMIT, SLOWEST = "twistd with an empty service", "the slowest of them"

SCENARIO = Scenario(
    "start",
    "Each daemon is started while its work is waiting for it: until an injector has published, a runner"
    " has been granted its first run, results has recorded a report, and the web has answered a page. The"
    " limit is a twistd that does nothing.",
    prepare,
    (Target("each within 1.5 s", SLOWEST, at_most=1.5),),
)
