"""Messages that no one can use, keys that lead nowhere, and names that want to be something else."""

import json
from typing import Any

from tests.integration.installation import InstallationCase, job

RUN_ID = "0" * 32
REPORT: dict[str, Any] = {
    "job_id": 1,
    "run_id": RUN_ID,
    "type": "starting",
    "x-send-datetime": "2026-01-01 00:00:00.000000",
    "start_time": "2026-01-01 00:00:00.000000",
    "x-host": "h",
}
ORDER: dict[str, Any] = {"name": "x", "cmd": "true", "job_id": 1, "run_id": RUN_ID}

HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "'; DROP TABLE jobs; -- \"",
    "{{ 7 * 7 }} ${7*7} %s {0}",
    "new\nline\r\x1b[2J",
    "\U0001f600 \u5099\u4efd \u202e",
    ". ..",
    "x" * 255,
)


def with_value(message: dict[str, Any], **changes: Any) -> bytes:
    """A message with other values, or without those that are None."""
    return json.dumps(
        {key: value for key, value in (message | changes).items() if value is not None}
    ).encode()


GARBAGE = (
    b"",
    b"no JSON",
    b"\xff\x00" * 1000,
    b"[1, 2]",
    b"{}",
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"x" * 10_000_000,
)


class MessageTests(InstallationCase):
    def test_garbage(self) -> None:
        """What cannot be used ends in `cronq_dead` with the reason, and all others are run and recorded."""
        _, results, runner, _ = self.start_all()
        self.until_bound("default")
        garbage = list(GARBAGE)
        orders = [
            with_value(ORDER, cmd=None),
            with_value(ORDER, cmd=7),
            with_value(ORDER, cmd="echo \0"),
            with_value(ORDER, job_id="one"),
            with_value(ORDER, run_id="../../x"),
            with_value(ORDER, name=["x"]),
        ]
        reports = [
            with_value(REPORT, type="exploded"),
            with_value(REPORT, run_id=7),
            with_value(REPORT, job_id=None),
            with_value(REPORT, **{"x-send-datetime": "yesterday"}),
            with_value(REPORT, type="finished"),
        ]
        for key, bodies in (("default", garbage + orders), ("cronq_results", garbage + reports)):
            for body in bodies:
                self.publish(key, body)
        count = 2 * len(garbage) + len(orders) + len(reports)
        self.until(lambda: self.waiting("cronq_dead") == count)
        dead = self.dead()
        self.assertEqual({body for body, _ in dead}, {*garbage, *orders, *reports})
        self.assertTrue(all(reason for _, reason in dead))
        self.assertIn((orders[0], "cmd: missing"), dead)
        self.put_and_run(job("As ever", self.record()))
        self.until_all(1)
        for daemon, lines in ((runner, len(garbage + orders)), (results, len(garbage + reports))):
            self.assertEqual(daemon.output.count("a message cannot be used and goes to cronq_dead: "), lines)

    def test_orders_of_others(self) -> None:
        """Any program may ask a runner for a run; unknown keys and a job that nobody knows do not matter."""
        self.start_all()
        self.until_bound("default")
        command = f"{self.record()}; exit 5"
        self.publish("default", with_value(ORDER, cmd=command, job_id=4711, colour="red"))
        other = {
            "command": command,
            "id": 4712,
            "run_id": "1" * 32,
            "name": "Other",
            "cmd": None,
            "job_id": None,
        }
        self.publish("default", with_value(ORDER, **other))
        self.until(lambda: len(self.sql("SELECT 1 FROM runs WHERE return_code = 5")) == 2)
        self.assertEqual(sorted(self.recorded()), [RUN_ID, "1" * 32])
        self.assertEqual(self.ask(f"/run/{RUN_ID}").status, 200)

    def test_unroutable(self) -> None:
        """A job whose routing key no queue has is `unroutable` at once, and the web says what to do."""
        self.start_all()
        self.put(job("Nowhere", self.record(), routing_key="no/such key"))
        self.run_by_hand()
        self.until_all(1, "unroutable")
        run = self.job("Nowhere")["runs"][0]
        self.assertIn("no queue is bound to routing key 'no/such key'", run["reason"])
        self.assertIsNotNone(run["completed_at"])
        for path in ("/", f"/job/{run['job_id']}", f"/run/{run['id']}", "/failures"):
            self.assertIn("nroutable", self.ask(path).text, path)
        page = self.ask(f"/run/{run['id']}").text
        self.assertIn("Start a runner that serves this routing key", page)
        self.assertIn("cronq-runner --queue &#39;no/such key&#39;", page)
        self.start("cronq-runner", "--queue", "mine", "--routing-key", "no/such key")
        self.until_bound("no/such key", queue="mine")
        self.run_by_hand()
        self.until(lambda: self.statuses() == ["unroutable", "succeeded"])

    def test_hostile_names(self) -> None:
        """From the document to the log file, the pages and the API, a name is nothing but a name."""
        _, _, runner, _ = self.start_all()
        command = 'printf "%s" "$CRONQ_JOB_NAME" > "$EVIDENCE/$CRONQ_JOB_ID"; echo output'
        self.put_and_run(*(job(name, command) for name in HOSTILE))
        self.until_all(len(HOSTILE))
        for name in HOSTILE:
            found = self.job(name)
            self.assertEqual((self.evidence / str(found["id"])).read_bytes().decode(), name)
            page = self.ask(f"/job/{found['id']}")
            self.assertEqual(page.status, 200)
            self.assertNotIn("<script>alert", page.text)
            self.assertEqual(self.ask(f"/run/{found['runs'][0]['id']}").status, 200)
        self.assertNotIn("<script>alert", self.ask("/").text)
        logs = list((self.folder / "log").rglob("*"))
        self.assertEqual(len(logs), len(HOSTILE) - 1)  # the two passwords share one
        for path in logs:
            self.assertEqual(set(path.read_text().split()), {"output"})
            self.assertRegex(path.name, r"^[0-9A-Za-z][0-9A-Za-z-]*\.log$")
        self.assertTrue(all(line[:2] == "20" and line.isprintable() for line in runner.lines), runner.output)
