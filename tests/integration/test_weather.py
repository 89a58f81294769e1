"""Bad weather: brokers, databases and networks that go away while jobs run, and come back."""

import atexit
import functools
import json
import re
from collections import Counter
from collections.abc import Iterator

from tests.integration.installation import EVERY_SECOND, InstallationCase, job
from tests.servers import Daemon, MariaDB, Proxy, RabbitMQ

NAMES = [f"Each second {n}" for n in range(3)]


@functools.cache
def victims() -> tuple[RabbitMQ, MariaDB]:
    """A broker and a database that the tests of this module may do anything to."""
    broker, database = RabbitMQ(), MariaDB()
    for server in (broker, database):
        server.start()
        atexit.register(server.discard)
    return broker, database


class WeatherCase(InstallationCase):
    """Jobs run every second, and one command runs from before the trouble until after it."""

    def begin(self, **environment: str) -> list[Daemon]:
        """Start everything, and wait until jobs run."""
        daemons = self.start_all(CRONQ_CONCURRENCY="4", **environment)
        self.at_start = {each: len(each.lines) for each in daemons}  # what waits for others says so
        wait = 'while [ ! -e "$EVIDENCE/go" ]; do sleep 0.05; done; echo undisturbed'
        every_second = [job(name, self.record(), EVERY_SECOND) for name in NAMES]
        self.put(*every_second, job("Long", f"{self.record()}; {wait}"))
        self.run_by_hand("Long")
        self.until(lambda: self.statuses("Long") == ["running"])
        self.until_more()
        return daemons

    def until_more(self) -> None:
        """Wait until runs that have yet to be recorded have succeeded."""
        ((last,),) = self.sql("SELECT MAX(id) FROM runs")
        newer = "SELECT COUNT(*) FROM runs WHERE id > %s AND status = 'succeeded'"
        self.until(lambda: self.sql(newer, last)[0][0] >= len(NAMES))

    def finish(self, troubles: int = 3) -> None:
        """End all jobs; each slot has its row, what ran ran once, and the long command was not disturbed.

        No daemon has said the same of its troubles more often than there were some.
        """
        (self.evidence / "go").touch()
        self.until_all(1, "succeeded", "Long")
        # The web may still hold a connection that is dead, and only says so when it is used.
        self.until(lambda: self.status() == "OK")
        self.put()
        self.until_over()
        self.assertEqual(self.log("Long").read_text(), "undisturbed\n")
        self.assert_none_twice()
        self.assertEqual(set(self.statuses()) - {"succeeded", "missed", "skipped"}, set())
        for name in NAMES:
            self.assert_accounted(name)
        for daemon in self.daemons:
            complaints = Counter(self.complaints(daemon))
            self.assertLessEqual(max(complaints.values(), default=0), troubles, complaints)

    def complaints(self, daemon: Daemon) -> Iterator[str]:
        """What a daemon has said of troubles since all were started; those of requests are the test's own."""
        for line in daemon.lines[self.at_start[daemon] :]:
            match = re.search(r"\[(\S+)#(?:warn|error|critical)\] (.*)", line)
            if match and match[1] != "cronq.web.http.explaining":
                yield match[2]


class ServersTests(WeatherCase):
    def servers(self) -> tuple[RabbitMQ, MariaDB]:
        return victims()

    def test_broker(self) -> None:
        """The broker is restarted under load, and then killed: the running command does not notice."""
        self.begin()
        self.broker.restart()
        self.until_more()
        self.broker.kill()
        self.broker.start()
        self.until_more()
        self.finish()

    def test_database(self) -> None:
        """The same with the database; the web says 503 meanwhile."""
        self.begin()
        self.database.restart()
        self.until_more()
        self.database.kill()
        self.assertEqual(self.status(), "503")
        self.database.start()
        self.until_more()
        self.finish()


class NetworkTests(WeatherCase):
    def setUp(self) -> None:
        super().setUp()
        self.to_broker, self.to_database = Proxy(self.broker.port), Proxy(self.database.port)
        for wire in (self.to_broker, self.to_database):
            self.addCleanup(wire.close)

    def test_cut(self) -> None:
        """Connections are reset, refused for a while, and swallowed for a while: all goes on afterwards."""
        self.begin(
            RABBITMQ_URL=f"{self.to_broker.url(self.broker_url)}?heartbeat=2",
            DATABASE_URL=self.to_database.url(self.database_url),
        )
        for wire in (self.to_broker, self.to_database):
            wire.cut()
            self.until_more()
            wire.refuse()
            self.until_seconds_pass()
            wire.restore()
            self.until_more()
            wire.hang()
            self.until_seconds_pass()
            wire.restore()
            self.until_more()
        self.finish(troubles=6)

    def until_seconds_pass(self) -> None:
        """Wait until three slots of each job have passed by the database's clock."""
        ((begin,),) = self.sql("SELECT UTC_TIMESTAMP(6)")
        self.until(lambda: self.sql("SELECT UTC_TIMESTAMP(6) > %s + INTERVAL 3 SECOND", begin) == [(1,)])

    def test_results_away(self) -> None:
        """While no results daemon runs nothing starts, and what ends is recorded when one is there again."""
        _, results, _, _ = self.begin()
        results.kill()
        (self.evidence / "go").touch()
        ran = len(self.recorded())
        self.until(self.log("Long").exists)
        self.until_seconds_pass()
        self.assertLessEqual(len(self.recorded()), ran + len(NAMES) * 2)
        results.start()
        self.until_more()
        self.finish()


class RunnerTests(WeatherCase):
    def test_killed(self) -> None:
        """A runner is killed while commands run: those it left are ended and `lost`, all else goes on."""
        _, _, runner, _ = self.begin()
        runner.kill()
        self.assertEqual(self.statuses("Long"), ["running"])
        (self.evidence / "go-not").touch()
        runner.start()
        self.until_all(1, "lost", "Long")
        self.assertIn("its command was still running and was ended", self.runs("Long")[0][1] or "")
        self.until_more()
        (self.evidence / "go").touch()
        self.put()
        self.until_over()
        self.assertFalse(self.log("Long").exists())
        self.assert_none_twice()
        for name in NAMES:
            self.assert_accounted(name)

    def test_result_outlives_all(self) -> None:
        """A command ends while the broker is away, and then its runner is killed: the result arrives."""
        wire = Proxy(self.broker.port)
        self.addCleanup(wire.close)
        _, _, runner, _ = self.begin(RABBITMQ_URL=wire.url(self.broker_url))
        wire.refuse()
        runner.wait_for_line("no connection to the broker")
        (self.evidence / "go").touch()
        ((run_id,),) = self.sql("SELECT run_id FROM runs JOIN jobs ON jobs.id = job_id WHERE name = 'Long'")
        self.until(lambda: self.is_noted(run_id))
        runner.kill()
        wire.restore()
        runner.start()
        self.finish()

    def is_noted(self, run_id: str) -> bool:
        """Whether the runner has the end of that run on disk."""
        lines = (self.folder / "state/runners/1/notes").read_text().splitlines(keepends=True)
        notes = [json.loads(line) for line in lines if line.endswith("\n")]
        reports = [note["report"] for note in notes if "report" in note]
        return any((each["run_id"], each["type"]) == (run_id, "finished") for each in reports)
