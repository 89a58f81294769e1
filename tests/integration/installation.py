"""An installation of cronq as an operator has it: real daemons, a real broker and a real database."""

import contextlib
import json
import signal
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pika
from twisted.trial.unittest import SynchronousTestCase

from tests.servers import Daemon, MariaDB, RabbitMQ, mariadb, rabbitmq, sandbox
from tests.servers.server import wait_until

EVERY_SECOND = "R/2026-01-01T00:00:00Z/PT1S"
SECOND = timedelta(seconds=1)
NEVER = "R1/2126-01-01T00:00:00Z/P1D"
WANTED = "cronq-injector", "cronq-results", "cronq-runner", "cronq-web"


def job(name: str, command: str, schedule: str = NEVER, **more: Any) -> dict[str, Any]:
    """A job of a category document; unless it has a schedule, it runs by hand only."""
    return {"name": name, "command": command, "schedule": schedule, **more}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the web said."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The same as a value."""
        return json.loads(self.text)


class DaemonCase(SynchronousTestCase):
    """Each test has a folder, and daemons that are ended in good order after it.

    Nothing here waits for a time: `until` and `Daemon.wait_for_line` wait for what happens, and give up when
    it does not for long.
    """

    def setUp(self) -> None:
        self.folder = sandbox().new_folder("installation")
        self.evidence = self.folder / "evidence"
        self.tmp = self.folder / "tmp"
        self.evidence.mkdir()
        self.tmp.mkdir()
        self.daemons: list[Daemon] = []
        self.web_url = ""
        self.addCleanup(self.end_all)

    def daemon(self, name: str, *options: str, **environment: str) -> Daemon:
        """A daemon with these options, not yet started."""
        usual = {
            "CRONQ_STATE_PATH": f"{self.folder}/state",
            "LOG_PATH": f"{self.folder}/log",
            "TMPDIR": str(self.tmp),
            "PORT": "0",
            "EVIDENCE": str(self.evidence),
        }
        made = Daemon(name, *options, environment=usual | self.addresses() | environment)
        self.daemons.append(made)
        return made

    def addresses(self) -> dict[str, str]:
        """The variables that say where the servers are."""
        return {}

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says; `%s` stands for each value."""
        raise NotImplementedError

    def start(self, name: str, *options: str, **environment: str) -> Daemon:
        """A daemon that has been started; it may not be ready yet."""
        made = self.daemon(name, *options, **environment)
        made.start()
        return made

    def use_web(self, daemon: Daemon, after: int = 0) -> None:
        """Ask this daemon from now on."""
        self.web_url = daemon.wait_for_line(r"listening on (http://\S+)/$", after=after)[1]

    def end_all(self) -> None:
        """Every daemon that runs ends by one SIGTERM, with 0; none has met a fault, or left a file about."""
        begun = [each for each in self.daemons if each.running and each.output]
        for each in begun:
            each.signal(signal.SIGTERM)
        try:
            codes = [each.wait() for each in begun]
            output = self.output
            litter = [path for each in self.daemons for path in each.folder.iterdir()]
        finally:
            for each in self.daemons:
                each.discard()
            self.daemons = []
        self.assertEqual(codes, [0] * len(begun), output)
        self.assertNotIn("Traceback", output)
        self.assertNotIn("Unhandled", output)
        self.assertEqual([*litter, *self.tmp.iterdir()], [])

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until the condition holds; raises with what the daemons wrote when it does not for long."""
        try:
            wait_until(lambda: bool(condition()), lambda: None)
        except TimeoutError as error:
            raise AssertionError(f"{error}; the daemons wrote:\n{self.output}") from error

    @property
    def output(self) -> str:
        """What all daemons have written."""
        return "\n\n".join(each.output for each in self.daemons)

    def ask(self, path: str, body: object = None, method: str | None = None) -> Answer:
        """What the web says to a request: a GET, or with a body a POST."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.web_url}{path}", data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            response = opener.open(request, timeout=120)
        except urllib.error.HTTPError as refusal:
            response = refusal
        with response:
            return Answer(response.status, response.read().decode())

    def status(self) -> str:
        """What the web says of itself."""
        answer = self.ask("/_status")
        return answer.json["status"] if answer.status == 200 else str(answer.status)

    def put(self, *jobs: dict[str, Any], category: str = "example") -> None:
        """Replace a category, over HTTP."""
        answer = self.ask(f"/api/category/{category}", {"jobs": jobs}, "PUT")
        self.assertEqual((answer.status, answer.json.get("status")), (200, "success"), answer.text)

    def job(self, name: str) -> dict[str, Any]:
        """A job as the API shows it."""
        jobs = self.ask("/api/jobs?per_page=100").json["data"]["jobs"]
        (found,) = (each for each in jobs if each["name"] == name)
        return dict(found)

    def put_and_run(self, *jobs: dict[str, Any]) -> None:
        """Replace a category, and ask for a run of each of its jobs."""
        self.put(*jobs)
        self.run_by_hand()

    def run_by_hand(self, name: str = "%") -> None:
        """Ask for a run of each job with such a name, as one can do in the database."""
        self.sql("UPDATE jobs SET run_now = 1 WHERE removed_at IS NULL AND name LIKE %s", name)

    def runs(self, name: str = "%") -> list[tuple[str, str | None]]:
        """Status and reason of the runs of the jobs with such a name."""
        rows = self.sql(
            "SELECT r.status, r.reason FROM runs r JOIN jobs j ON j.id = r.job_id WHERE j.name LIKE %s"
            " ORDER BY r.id",
            name,
        )
        return [(status, reason) for status, reason in rows]

    def statuses(self, name: str = "%") -> list[str]:
        """The status of each of those runs."""
        return [status for status, _ in self.runs(name)]

    def until_all(self, count: int, status: str = "succeeded", name: str = "%") -> None:
        """Wait until there are so many runs and all have that status."""
        self.until(lambda: self.statuses(name) == [status] * count)

    def until_over(self) -> None:
        """Wait until no run is open."""
        self.until(lambda: not self.sql("SELECT 1 FROM runs WHERE status IN ('queued', 'running') LIMIT 1"))

    def assert_none_twice(self, name: str = "runs") -> None:
        """What ran, by that file, is in the ledger and ran once; what did not run says so, and why."""
        ran = Counter(self.recorded(name))
        self.assertEqual({run_id for run_id, count in ran.items() if count > 1}, set())
        rows = self.sql("SELECT run_id, status, reason FROM runs")
        self.assertEqual(set(ran) - {run_id for run_id, _, _ in rows}, set())
        for run_id, status, reason in rows:
            if status in {"missed", "skipped"}:
                self.assertNotIn(run_id, ran)
                self.assertTrue(reason)
            elif status == "succeeded":
                self.assertIn(run_id, ran)
            else:
                self.assertEqual(status, "lost")

    def assert_accounted(self, name: str) -> None:
        """Of a job that runs every second, each slot that it lived through is in one row."""
        rows = self.sql(
            "SELECT slot, last_slot, slots FROM runs JOIN jobs ON jobs.id = job_id WHERE name = %s"
            " ORDER BY slot",
            name,
        )
        found: list[datetime] = []
        for slot, last_slot, count in rows:
            first, last = _instant(slot), _instant(last_slot or slot)
            self.assertEqual((last - first) // SECOND + 1, count)
            found += [first + n * SECOND for n in range(count)]
        ((settled,),) = self.sql("SELECT settled_until FROM jobs WHERE name = %s", name)
        count = (_instant(settled) - found[0]) // SECOND + 1
        self.assertEqual(found, [found[0] + n * SECOND for n in range(count)])

    def record(self, name: str = "runs") -> str:
        """A command that writes the id of its run as a line into a file of this name."""
        return f'echo "$CRONQ_RUN_ID" >> "$EVIDENCE/{name}"'

    def recorded(self, name: str = "runs") -> list[str]:
        """The lines in that file."""
        path = self.evidence / name
        return path.read_text().splitlines() if path.exists() else []

    def files(self) -> set[str]:
        """All files in the folder, by their paths in it."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix() for path in found}

    def log(self, name: str) -> Path:
        """The log file of that name."""
        return self.folder / "log" / f"{name}.log"


class InstallationCase(DaemonCase):
    """Each test has a vhost and a database as well."""

    def setUp(self) -> None:
        super().setUp()
        self.broker, self.database = self.servers()
        self.broker_url = self.broker.new_vhost()
        self.database_url = self.database.new_database()

    def servers(self) -> tuple[RabbitMQ, MariaDB]:
        """The servers that the daemons are connected to."""
        return rabbitmq(), mariadb()

    def addresses(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "RABBITMQ_URL": self.broker_url}

    def start_all(self, *names: str, **environment: str) -> list[Daemon]:
        """These daemons, or one of each kind; the web is ready and the tables are there."""
        started = [self.start(name, **environment) for name in names or WANTED]
        for each, name in zip(started, names or WANTED, strict=True):
            if name == "cronq-web":
                self.use_web(each)
        self.until(lambda: self.status() == "OK")
        return started

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.execute(statement, *values, url=self.database_url)

    def until_bound(self, *routing_keys: str, queue: str = "cronq_jobs") -> None:
        """Wait until that queue has these keys and no others."""
        expected = sorted(routing_keys)
        self.until(lambda: self.broker.routing_keys(self.broker_url, queue) == expected)

    def publish(self, routing_key: str, body: bytes, **properties: Any) -> None:
        """Publish as a program of somebody else would; raises pika's error when nobody wants it."""
        with self.channel() as channel:
            properties = pika.BasicProperties(**properties)
            channel.basic_publish("cronq", routing_key, body, properties, mandatory=True)

    def channel(self) -> contextlib.AbstractContextManager[Any]:
        """A channel to the broker of pika's own, with publisher confirms."""
        return _channel(self.broker_url)

    def waiting(self, queue: str) -> int:
        """How many messages are in a queue and in nobody's hand."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def dead(self) -> list[tuple[bytes, str]]:
        """The messages in `cronq_dead`, which stay there, and their reasons."""
        with self.channel() as channel:
            found = []
            while (got := channel.basic_get("cronq_dead"))[0]:
                found.append((got[2], got[1].headers["x-cronq-reason"]))
            return found


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(str(value))  # SQLite gives text


@contextlib.contextmanager
def _channel(url: str) -> Any:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
