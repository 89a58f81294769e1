"""Killing a run: the button on its page, and the API."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from cronq.database.tables import orders, runs
from cronq.domain.runs import Status
from tests.web.seed import NOW, add_category, add_full_run, add_inherited_run, add_job, add_run
from tests.web.support import WebTestCase


class KillTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")
        self.queued = self.write(add_run, self.job, Status.QUEUED, queued_at=NOW, publish_after=NOW)
        began = NOW - timedelta(minutes=1)
        self.running = self.write(add_full_run, self.job, Status.RUNNING, began, None, runner="worker-3.1")

    def row(self, run_id: str) -> Any:
        query = select(runs).where(runs.c.run_id == run_id)
        return self.write(lambda connection: connection.execute(query).one())

    def ordered(self) -> list[tuple[str, str, str]]:
        query = select(orders.c.runner, orders.c.run_id, orders.c.reason)
        found: list[tuple[str, str, str]] = self.write(
            lambda connection: [tuple(row) for row in connection.execute(query)]
        )
        return found


class ApiTests(KillTestCase):
    """`POST /api/runs/<run_id>/kill`."""

    def kill(self, run_id: str, **request: Any) -> tuple[int, str]:
        answer = self.post(f"/api/runs/{run_id}/kill", **request)
        return answer.code, (answer.json.get("success") or answer.json["error"])["message"]

    def test_queued(self) -> None:
        """What has not started is called off at once."""
        code, message = self.kill(self.queued, json={"by": "Ada", "reason": "not today"})
        self.assertEqual((code, message), (200, f"Run {self.queued} is called off; it had not started."))
        row = self.row(self.queued)
        self.assertEqual((row.status, row.reason), ("killed", "killed by Ada: not today"))
        self.assertEqual((row.ended_at, row.recorded_at, row.publish_after), (NOW, NOW, None))
        self.assertEqual(self.ordered(), [])

    def test_running(self) -> None:
        """The runner of what runs is ordered to end it; asked again, it is one order."""
        for reason in ("it hangs", "again"):
            code, message = self.kill(self.running, json={"by": "Ada", "reason": reason})
            self.assertEqual(code, 200)
            expected = f"Run {self.running} is being killed; its runner on worker-3.example.net is told."
            self.assertEqual(message, expected)
        self.assertEqual(self.ordered(), [("worker-3.1", self.running, "killed by Ada: it hangs")])
        self.assertEqual(self.row(self.running).status, "running")

    def test_nothing_said(self) -> None:
        """Neither a name nor a reason is needed, and curl may send them as a form."""
        self.kill(self.queued)
        self.assertEqual(self.row(self.queued).reason, "killed by hand")
        self.kill(self.running, data={"reason": "it hangs", "by": " Ada "})
        self.assertEqual(self.ordered()[0][2], "killed by Ada: it hangs")

    def test_over(self) -> None:
        """What is over stays as it is."""
        for status in Status:
            if status.final:
                run = self.write(add_run, self.job, status)
                self.assertEqual(self.kill(run), (409, f"Run {run} is over already: it is {status}."))
                self.assertEqual(self.row(run).status, status)

    def test_lost_and_maybe_running(self) -> None:
        """What was given up while its runner is silent is ended when that is heard of again."""
        run = self.write(add_run, self.job, Status.LOST, runner="r.1", host="h", abandoned=True)
        self.assertEqual(self.kill(run)[0], 200)
        self.assertEqual(self.ordered()[0][:2], ("r.1", run))

    def test_out_of_reach(self) -> None:
        """A runner of 0.27 cannot be told."""
        run = self.write(add_run, self.job, Status.RUNNING, host="old")
        code, message = self.kill(run)
        expected = f"Run {run} is on old, where a runner of cronq 0.27 takes no orders."
        self.assertEqual((code, message), (409, expected))

    def test_unknown(self) -> None:
        """What is no run is not found, whatever it looks like."""
        inherited = self.write(add_inherited_run, self.job, NOW)
        for run_id in ("f" * 32, "0", "F" * 32, "..%2F..", "%00", "x" * 300, inherited):
            self.assertEqual(self.kill(run_id)[0], 404, run_id)
        said = 'There is no run "mine/slow"; it may have been pruned.'
        self.assertEqual(self.kill("mine%2Fslow"), (404, said))

    def test_faults(self) -> None:
        """What cannot be understood is refused with its place, and nothing is killed."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"json": {"reason": 7}}, "reason: expected a text, found 7"),
            ({"json": {"by": "x" * 101}}, "by: has 101 characters, at most 100 are allowed"),
            ({"json": {"raeson": ""}}, "raeson: unknown key, did you mean reason?"),
            ({"data": b"{"}, "not JSON at line 1, column 2"),
            ({"data": b"[1]"}, "The body is neither a JSON object nor a form."),
        ]
        for request, sentence in cases:
            code, message = self.kill(self.queued, **request)
            self.assertEqual((code, message[: len(sentence)]), (400, sentence))
        self.assertEqual(self.row(self.queued).status, "queued")

    def test_method(self) -> None:
        """Looking kills nothing."""
        self.assertEqual(self.get(f"/api/runs/{self.queued}/kill").code, 405)


class PageTests(KillTestCase):
    """The form on the page of a run."""

    def token(self, run_id: str) -> str:
        return self.get(f"/run/{run_id}").page.token(f"/run/{run_id}/kill")

    def press(self, run_id: str, **data: str) -> Any:
        return self.post(f"/run/{run_id}/kill", data={"form_token": self.token(run_id)} | data)

    def test_call_off(self) -> None:
        """The page of a queued run calls it off, and says so."""
        self.assertIn("Call it off", self.get(f"/run/{self.queued}").page.texts("button"))
        answer = self.press(self.queued, reason="not today")
        self.assertEqual((answer.code, answer.header("Location")), (303, f"/run/{self.queued}"))
        page = self.get(f"/run/{self.queued}").page
        self.assertIn("It did not start. Killed by hand: not today.", page.text)
        self.assertNotIn("Call it off", page.texts("button"))

    def test_kill(self) -> None:
        """The page of a running one says who wants it ended, and why, until it is."""
        self.assertIn("Kill it", self.get(f"/run/{self.running}").page.texts("button"))
        self.press(self.running, reason="<b>it hangs</b>")
        page = self.get(f"/run/{self.running}").page
        self.assertIn(
            "It is being ended. Killed by hand: <b>it hangs</b>. Its runner was told now.", page.text
        )
        self.assertNotIn("Kill it", page.texts("button"))

    def test_over(self) -> None:
        """The page of a run that is over has no such button."""
        run = self.write(add_full_run, self.job, Status.SUCCEEDED, NOW)
        self.assertEqual(self.get(f"/run/{run}").page.texts("button"), ["Run again"])

    def test_token(self) -> None:
        """With the token of another form nothing happens."""
        token = self.token(self.running)
        for data in ({"form_token": ""}, {"form_token": token}):
            self.assertEqual(self.post(f"/run/{self.queued}/kill", data=data).code, 403)
        self.assertEqual(self.row(self.queued).status, "queued")

    def test_killed_by_others(self) -> None:
        """An order that results gave, as another attempt was made, is told, too."""
        row = {"kind": "kill", "runner": "r.1", "run_id": self.running, "reason": "it was given up"}
        self.write(lambda connection: connection.execute(insert(orders).values(row | {"ordered_at": NOW})))
        self.assertIn("It was given up.", self.get(f"/run/{self.running}").page.text)
