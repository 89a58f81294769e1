"""`GET /api/runs` and `GET /api/runs/<run_id>`."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from cronq.database.tables import orders
from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.requests import RunRequest
from cronq.domain.runs import Status
from tests.web.seed import NOW, add_category, add_full_run, add_inherited_run, add_job, add_output, add_run
from tests.web.support import WebTestCase


class RunsTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(
            add_job, self.write(add_category, "c"), "j", command="exit 3", routing_key="slow"
        )
        self.other = self.write(add_job, self.write(add_category, "d"), "j")
        self.runs = [
            self.write(add_full_run, job, status, NOW - timedelta(hours=hours), return_code=code)
            for job, status, hours, code in (
                (self.job, Status.FAILED, 3, 1),
                (self.job, Status.SUCCEEDED, 2, 0),
                (self.other, Status.FAILED, 1, 1),
            )
        ]

    def find(self, query: str = "") -> list[int]:
        """Which of the runs are found."""
        data = self.get(f"/api/runs{query}").json["data"]
        self.next = data["next"]
        return [self.runs.index(run["id"]) for run in data["runs"]]

    def test_filters(self) -> None:
        """The latest come first; wishes can be combined."""
        for query, expected in (
            ("", [2, 1, 0]),
            (f"?job={self.job}", [1, 0]),
            ("?job=d/j", [2]),
            ("?state=failed", [2, 0]),
            ("?state=failed,succeeded", [2, 1, 0]),
            ("?state=lost", []),
            ("?since=PT150M", [2, 1]),
            ("?since=2026-11-23T06:00:00", [2]),
            (f"?job={self.job}&state=failed&since=PT150M", []),
            ("?job=&state=&since=", [2, 1, 0]),
        ):
            self.assertEqual(self.find(query), expected, query)

    def test_pages(self) -> None:
        """`next` is the `cursor` of the next page, and null on the last one."""
        self.assertEqual(self.find("?per_page=2"), [2, 1])
        self.assertEqual(self.find(f"?per_page=2&cursor={self.next}"), [0])
        self.assertIsNone(self.next)

    def test_bad_input(self) -> None:
        """What cannot be understood is refused with its name."""
        for query, word in (
            ("state=nope", "state: "),
            ("state=failed,nope", "state: "),
            ("since=yesterday", "since: "),
            ("cursor=x", "cursor: "),
            ("per_page=0", "per_page: "),
        ):
            answer = self.get(f"/api/runs?{query}")
            self.assertEqual(answer.code, 400)
            self.assertIn(word, answer.json["error"]["message"])
        self.assertEqual(self.get("/api/runs?job=nope/nope").code, 404)

    def run_(self, run_id: str) -> Any:
        return self.get(f"/api/runs/{run_id}").json["data"]["run"]

    def test_in_full(self) -> None:
        """A run has all its times to the microsecond, and all else that is known about it."""
        run_id = self.write(
            add_full_run, self.job, Status.FAILED, NOW, 2.0, return_code=3, definition_id=1, publications=2
        )
        self.write(
            add_output, run_id, Output(1000, (Piece(Stream.OUT, "a"),), (Piece(Stream.OUT, "b"),), (1, 999))
        )
        found = self.run_(run_id)
        self.assertEqual(
            found["times"],
            {
                "due": "2026-11-23T07:05:20.250000",
                "queued": "2026-11-23T07:05:20.335000",
                "published": "2026-11-23T07:05:20.360000",
                "granted": "2026-11-23T07:05:20.570000",
                "started": "2026-11-23T07:05:20.590000",
                "ended": "2026-11-23T07:05:22.590000",
                "given_up": None,
                "recorded": "2026-11-23T07:05:22.650000",
            },
        )
        expected = {
            "job": {"id": self.job, "name": "j", "category": {"id": 1, "name": "c"}},
            "command": "exit 3",
            "routing_key": "slow",
            "runner": "worker-3.example.net.4711",
            "publications": 2,
            "kill": None,
            "output": {"size": 1000, "left_out": 998},
            "attempts": [{"id": run_id, "attempt": 1, "status": "failed"}],
            "status": "failed",
            "return_code": 3,
        }
        self.assertEqual({key: found[key] for key in expected}, expected)

    def test_who_asked(self) -> None:
        """Who asked for it is there, and who wants it killed."""
        asked = RunRequest("ada", "it came late", {"A": "1"}, ("x",))
        run_id = self.write(add_run, self.job, Status.RUNNING, request=asked.encode())
        row = {"kind": "kill", "runner": "r.1", "run_id": run_id, "reason": "it hangs", "ordered_at": NOW}
        self.write(lambda connection: connection.execute(insert(orders).values(row)))
        found = self.run_(run_id)
        self.assertEqual(found["request"], asked.as_json())
        self.assertEqual(found["kill"], {"ordered_at": "2026-11-23T07:05:20.250000", "reason": "it hangs"})

    def test_inherited(self) -> None:
        """Of a run of 0.27 there is what its events say."""
        run_id = self.write(add_inherited_run, self.job, NOW, 1)
        found = self.run_(run_id)
        self.assertEqual(
            (found["status"], found["command"], found["times"]["queued"]), ("failed", None, None)
        )
        self.assertEqual([each["id"] for each in found["attempts"]], [run_id])

    def test_unknown(self) -> None:
        """Ids of no run are not found."""
        for run_id in ("0" * 32, "x", "%00"):
            self.assertEqual(self.get(f"/api/runs/{run_id}").code, 404)

    def test_again(self) -> None:
        """A program can have it run again; each time is a run of its own."""
        asked = RunRequest("ada", "first", {"A": "1"}, ("x",))
        run_id = self.write(add_run, self.job, Status.FAILED, request=asked.encode())
        answer = self.post(f"/api/runs/{run_id}/again", json={"by": "bob", "reason": "second"})
        new = self.run_(answer.json["success"]["run_id"])
        self.assertEqual(new["request"], RunRequest("bob", "second", {"A": "1"}, ("x",)).as_json())
        self.assertEqual((new["status"], new["job_id"], self.wakes), ("queued", self.job, 1))
        self.assertEqual(self.post("/api/runs/x/again").code, 404)
