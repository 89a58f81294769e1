"""What the tests of services have in common: a world each, what was said in it, and the books of it."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.tables import jobs, runs
from cronq.domain.jobs import DEFAULT_ROUTING_KEY, JobDefinition
from cronq.domain.runs import Status
from tests.services.world import World


def once(
    name: str = "job", command: str = "5 s", at: str = "00:01:00", routing_key: str = DEFAULT_ROUTING_KEY
) -> JobDefinition:
    """A job with one slot, on the day on which the world begins."""
    return JobDefinition(name, f"R1/2026-01-01T{at}Z/P1D", command, routing_key)


def each_minute(name: str = "job", command: str = "5 s", count: str = "") -> JobDefinition:
    """A job with a slot each minute, from the first one on, and so many or without end."""
    return JobDefinition(name, f"R{count}/2026-01-01T00:01:00Z/PT1M", command)


class LoggedTestCase(SynchronousTestCase):
    """Keeps what is logged."""

    def setUp(self) -> None:
        self._said: list[str] = []
        observer = cast("ILogObserver", self._note)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def said(self, pattern: str) -> list[str]:
        """The lines that match, in order."""
        return [line for line in self._said if re.search(pattern, line)]

    def assert_said(self, pattern: str, times: int = 1) -> None:
        self.assertEqual(len(self.said(pattern)), times, "\n".join([pattern, "", *self._said]))

    def new_folder(self) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir()
        return folder

    def _note(self, event: LogEvent) -> None:
        self._said.append(formatEvent(event))


class WorldTestCase(LoggedTestCase):
    """Has a world."""

    def setUp(self) -> None:
        super().setUp()
        self.new_world()

    #: Seconds; tests of whole days want fewer heartbeats.
    heartbeat_interval = 10.0
    lost_after = 60.0

    def new_world(self) -> None:
        """Begin anew; there is only one world at a time."""
        self.world = World(self.new_folder(), self.heartbeat_interval, self.lost_after)

    def statuses(self) -> dict[str, int]:
        """How many runs there are of each status."""
        return Counter(row.status for row in self.world.rows(select(runs.c.status)))

    def the_run(self) -> Any:
        """The only row of the ledger."""
        (run,) = self.world.rows(select(runs))
        return run

    def slots(self) -> dict[str, int]:
        """How many slots of each job have a row, or a part in one."""
        found: Counter[str] = Counter()
        query = select(jobs.c.name, runs.c.slots).join(jobs, jobs.c.id == runs.c.job_id)
        for row in self.world.rows(query):
            found[row.name] += row.slots
        return found

    def assert_none_twice(self) -> None:
        twice = [run_id for run_id, starts in Counter(self.world.launcher.runs()).items() if starts > 1]
        self.assertEqual(twice, [], "started twice")
        slots = [start.environment["CRONQ_SLOT"] + start.environment["CRONQ_JOB_ID"] for start in self.starts]
        self.assertEqual(len(slots), len(set(slots)), "a slot was run by two runs")

    def assert_audit_clean(self) -> None:
        """The ledger has what the schedules say, and nothing else."""
        self.assertEqual([str(finding) for finding in self.world.audit()], [])

    def assert_all_ended(self) -> None:
        open_runs = [row for row in self.world.rows(select(runs)) if not Status(row.status).final]
        self.assertEqual(open_runs, [])

    def assert_stops(self, stopped: Deferred[Any], seconds: float) -> None:
        """It stops within so many seconds, and not before."""
        if seconds:
            self.world.run_for(seconds - 0.1)
            self.assertNoResult(stopped)
            self.world.run_for(0.2)
        else:
            self.world.run_for(0)
        self.successResultOf(stopped)

    @property
    def starts(self) -> list[Any]:
        return self.world.launcher.started
