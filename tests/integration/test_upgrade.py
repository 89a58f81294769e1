"""The upgrade in place: a database and messages that cronq 0.27 left, and the daemons of this version."""

import json
import re
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cronq.database.gateway import make_engine
from tests.integration.installation import InstallationCase
from tests.integration.test_adoption import statements
from tests.servers import Daemon, Proxy

RECORDED = Path(__file__).parents[1] / "data" / "cronq-0.27"
#: The jobs that were running when it was recorded: their next run, and the seconds between two runs.
DUE = {1: ("07:05:20", 5), 2: ("07:05:21", 3), 3: ("07:05:20", 4), 7: ("07:05:24", 6)}

QUEUES = {"cronq_jobs": ("default", "slow"), "cronq_results": ("cronq_results",)}
"""Its queues, which are classic ones, and their keys."""


def without_markup(value: Any) -> Any:
    """What 0.27 said, without the HTML that it put into one of its values."""
    if isinstance(value, dict):
        return {key: without_markup(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_markup(each) for each in value]
    return re.sub("<span.*?>|</span>", "", value) if isinstance(value, str) else value


class UpgradeTests(InstallationCase):
    def setUp(self) -> None:
        super().setUp()
        engine = make_engine(self.database_url)
        with engine.begin() as connection:
            for statement in statements((RECORDED / "database.sql").read_text()):
                connection.exec_driver_sql(statement)
        engine.dispose()
        with self.channel() as channel:
            channel.exchange_declare("cronq", "direct")
            for queue, keys in QUEUES.items():
                channel.queue_declare(queue, durable=True)
                for key in keys:
                    channel.queue_bind(queue, "cronq", key)
        self.wire = Proxy(self.broker.port)
        self.addCleanup(self.wire.close)

    def adopted(self) -> Daemon:
        """An injector of this version that has taken the database over, but has no broker yet."""
        self.wire.refuse()
        web = self.start("cronq-web")
        self.use_web(web)
        web.wait_for_line("waiting for an injector to create or upgrade the tables")
        injector = self.start("cronq-injector", RABBITMQ_URL=self.wire.url(self.broker_url))
        self.until(lambda: self.status() == "OK")
        return injector

    def go_on(self) -> None:
        """Start the others, and let the injector at the broker."""
        self.start("cronq-results")
        self.start("cronq-runner", "--routing-key", "default", "--routing-key", "slow", "--concurrency", "8")
        self.until_bound("default", "slow")
        self.wire.restore()

    def assert_contains(self, old: Any, new: Any, place: str = "") -> None:
        """What the old answer said, the new one says, too; it may say more."""
        if isinstance(old, dict):
            for key, value in old.items():
                self.assert_contains(value, new[key], f"{place}.{key}")
        elif isinstance(old, list):
            for index, (each, other) in enumerate(zip(old, new, strict=True)):
                self.assert_contains(each, other, f"{place}[{index}]")
        else:
            self.assertEqual(new, old, place)

    def test_its_jobs_go_on(self) -> None:
        """Its history can be read as it was, its jobs run at their old slots, and nothing is lost between."""
        self.adopted()
        self.look_at_answers()
        self.look_at_history()
        self.sql("UPDATE jobs SET next_run = '2126-01-01' WHERE id NOT IN (1, 2, 3, 7)")
        self.go_on()
        for job_id in DUE:
            self.until(lambda number=job_id: self.ended(number) >= 2)  # type: ignore[misc]
        for job_id, (first, seconds) in DUE.items():
            self.look_at_slots(
                job_id, datetime.fromisoformat(f"2026-11-23 {first}"), timedelta(seconds=seconds)
            )
        self.assertEqual(
            self.sql(
                "SELECT DISTINCT status, return_code FROM runs WHERE job_id = 3 AND return_code IS NOT NULL"
            ),
            [("failed", 3)],
        )
        self.assertIn("hello\nworld\n", self.log("Say-hello").read_text())
        self.assertIn("IT'S <FINE>\n", self.log("b-bold-b-quoted-name").read_text())
        self.assertIn("b-bold-b-quoted-name.log", {path.name for path in (self.folder / "log").iterdir()})

    def look_at_answers(self) -> None:
        """The API says of the old database what 0.27 said."""
        recorded = json.loads((RECORDED / "http.json").read_text())
        jobs = "/api/jobs?category.name=example&sort=name.desc&per_page=1"
        for path in ("/_status", "/api/categories", "/api/categories/example", jobs):
            self.assert_contains(without_markup(recorded[path]["body"]), self.ask(path).json, path)
        # Where 0.27 made mistakes: a job by its id, and an id that nobody has.
        (old,) = recorded[jobs]["body"]["data"]["jobs"]
        self.assert_contains(without_markup(old), self.ask("/api/jobs/1").json["data"]["job"])
        self.assertEqual(self.ask("/api/jobs/999999").status, 404)

    def look_at_history(self) -> None:
        """Its runs are on the pages."""
        for path, word in (
            ("/", "Disk usage - weekly"),
            ("/job/1", "Test Job"),
            ("/run/a8fffd3e8f6246f8af92ff2073299354", "localhost"),
            ("/failures", "Always fails"),
        ):
            answer = self.ask(path)
            self.assertEqual(answer.status, 200)
            self.assertIn(word, answer.text)

    def ended(self, job_id: int) -> int:
        """How many runs of a job have ended since the upgrade."""
        rows = self.sql(
            "SELECT 1 FROM runs WHERE job_id = %s AND slot IS NOT NULL AND return_code IS NOT NULL", job_id
        )
        return len(rows)

    def look_at_slots(self, job_id: int, first: datetime, interval: timedelta) -> None:
        """From the next run that 0.27 had noted on, each interval has its row, and no slot has two."""
        rows = self.sql(
            "SELECT slot, slots FROM runs WHERE job_id = %s AND slot IS NOT NULL ORDER BY slot", job_id
        )
        for slot, count in rows:
            self.assertEqual(slot, first)
            first += count * interval
        by_hand = self.sql("SELECT status FROM runs WHERE job_id = %s AND slot IS NULL", job_id)
        self.assertEqual(by_hand, [("succeeded",)] if job_id == 1 else [])

    def test_its_messages(self) -> None:
        """What it left in the queues is run and recorded, once even if it comes twice."""
        self.adopted()
        self.sql("UPDATE jobs SET next_run = '2126-01-01', run_now = 0")
        self.sql("DELETE FROM events")  # as if its results had been stopped first
        messages = json.loads((RECORDED / "messages.json").read_text())
        expected: dict[str, tuple[str, int]] = {}
        for message in messages * 2:
            self.leave(message, expected)
        self.go_on()
        self.until(lambda: len(self.ended_runs(expected)) == len(expected))
        self.assertEqual(self.ended_runs(expected), expected)
        reports = [message["body"] for message in messages if "type" in message["body"]]
        found = self.sql("SELECT run_id, type, return_code FROM events")
        self.assertEqual(
            sorted((run_id, kind) for run_id, kind, _ in found if run_id not in expected),
            sorted((body["run_id"], body["type"]) for body in reports),
        )
        ends = {(body["run_id"], "finished", body["return_code"]) for body in reports if "run_time" in body}
        self.assertEqual(ends - set(found), set())
        self.assertEqual(self.dead(), [])
        self.look_at_queues()

    def look_at_queues(self) -> None:
        """Its queues are used as they are, and each daemon has said so once for each."""
        for daemon in self.daemons[1:]:
            for what in ("exchange cronq", *(f"queue {queue}" for queue in QUEUES)):
                said = f"{what} is used as it is: "
                daemon.wait_for_line(said)  # one that came too early tries again after a while
                self.assertEqual(daemon.output.count(said), 1, daemon.output)
        with self.channel() as channel:
            for queue in QUEUES:
                channel.queue_declare(queue, durable=True)  # with other arguments it would be an error

    def leave(self, message: dict[str, Any], expected: dict[str, tuple[str, int]]) -> None:
        """Put a message into its queue as 0.27 did; of a job, with the id of a run that is new."""
        body = dict(message["body"])
        if message["routing_key"] != "cronq_results":
            body["run_id"] = uuid.uuid4().hex
            expected[body["run_id"]] = ("failed", 3) if body["cmd"] == "exit 3" else ("succeeded", 0)
            body["cmd"] = body["cmd"].replace("sleep 1", "sleep 0.1")
        self.publish(message["routing_key"], json.dumps(body).encode(), **message["properties"])

    def ended_runs(self, run_ids: dict[str, Any]) -> dict[str, tuple[str, int]]:
        """Those of these runs that have ended, and how."""
        rows = self.sql("SELECT run_id, status, return_code FROM runs WHERE return_code IS NOT NULL")
        return {run_id: (status, code) for run_id, status, code in rows if run_id in run_ids}
