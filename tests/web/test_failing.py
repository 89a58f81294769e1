"""The jobs that fail, and what people say about them."""

from datetime import timedelta
from typing import Any

from cronq.database.reading import failing
from cronq.database.reading.failing import LAST_CHARACTERS
from cronq.database.reading.streaks import MOST_RUNS
from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.runs import Status
from tests.web.seed import NOW, add_category, add_full_run, add_inherited_run, add_job, add_output, remove_job
from tests.web.support import WebTestCase

SECOND = timedelta(seconds=1)


class FailingTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "c")
        self.minutes = -60

    def add(self, name: str, *statuses: Status, **columns: Any) -> int:
        """A job whose runs came to these ends, one a minute."""
        job: int = self.write(add_job, self.category, name, **columns)
        for status in statuses:
            self.end(job, status)
        return job

    def end(self, job: int, status: Status, **columns: Any) -> str:
        self.minutes += 1
        due = NOW + timedelta(minutes=self.minutes)
        run_id: str = self.write(add_full_run, job, status, due, **columns)
        ended = Status.SUCCEEDED if status is Status.SUCCEEDED else Status.FAILED
        if status not in {Status.LOST, Status.MISSED, Status.SKIPPED}:
            text = f"UPDATE jobs SET last_run_status = '{ended}', last_run_stop = '{due}' WHERE id = {job}"
            self.write(lambda connection: connection.exec_driver_sql(text))
        return run_id

    def failing(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/failures").json["data"]["failures"]
        return found

    def names(self) -> list[str]:
        return [each["name"] for each in self.failing()]

    def test_none(self) -> None:
        """When nothing fails by now, the page says so."""
        self.add("well", Status.FAILED, Status.SUCCEEDED)
        self.add("new")
        self.assertIn("Nothing fails", self.get("/failures").page.text)
        self.assertEqual(self.failing(), [])

    def test_many_kinds(self) -> None:
        """However many jobs have failed, one whose run was lost after that stands before them."""
        self.patch(failing, "MOST_JOBS", 2)
        for number in range(6):
            self.add(f"failed {number}", Status.FAILED)
        self.add("lost", Status.LOST)
        self.assertEqual(self.names(), ["lost", "failed 5"])

    def test_since_when_and_how_often(self) -> None:
        """What counts is what came after the last success."""
        self.add("j", Status.FAILED, Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.TIMED_OUT)
        (found,) = self.failing()
        self.assertEqual((found["status"], found["count"], found["more"]), ("timed_out", 2, False))
        self.assertEqual((found["since"][:16], found["at"][:16]), ("2026-11-23T06:08", "2026-11-23T06:10"))
        self.assertIn(
            "2 times, the last 54 minutes ago, the first 56 minutes ago", self.get("/failures").page.text
        )

    def test_wanted(self) -> None:
        """What somebody or a rule has killed is no failure, and neither begins nor ends a row of them."""
        job = self.add("j", Status.FAILED)
        reasons = "killed by anna", "killed by hand: not today", "replaced by a run by hand"
        wanted = [self.end(job, Status.KILLED, reason=reason) for reason in reasons]
        self.end(job, Status.TIMED_OUT)
        (found,) = self.failing()
        self.assertEqual((found["status"], found["count"]), ("timed_out", 2))
        self.end(job, Status.SUCCEEDED)
        self.end(job, Status.KILLED, reason=reasons[0])
        self.assertEqual(self.failing(), [])
        listed, killed = (self.get(f"/failures?status={each}").text for each in ("any", "killed"))
        self.assertEqual([run in listed for run in wanted], [False] * 3)
        self.assertEqual([run in killed for run in wanted], [True] * 3)
        stopped = self.end(job, Status.KILLED, reason="its runner was stopped")
        self.assertEqual([each["run_id"] for each in self.failing()], [stopped])
        self.assertIn(stopped, self.get("/failures?status=any").text)

    def test_not_started(self) -> None:
        """A job fails as well whose latest run is lost, or was not even started."""
        self.add("lost", Status.SUCCEEDED, Status.LOST)
        self.add("missed", Status.SUCCEEDED, Status.MISSED)
        self.add("well again", Status.MISSED, Status.SUCCEEDED)
        self.assertEqual(self.names(), ["missed", "lost"])

    def test_under_way(self) -> None:
        """It goes on failing until the run that is under way has succeeded."""
        job = self.add("j", Status.FAILED)
        self.write(add_full_run, job, Status.RUNNING, NOW, None)
        self.assertEqual(self.names(), ["j"])

    def test_long(self) -> None:
        """It is not counted without end how often."""
        self.add("j", *[Status.FAILED] * (MOST_RUNS + 1))
        (found,) = self.failing()
        self.assertEqual((found["count"], found["more"]), (MOST_RUNS, True))
        self.assertIn("100 times or more, the last", self.get("/failures").page.text)

    def test_of_0_27(self) -> None:
        """A job that failed last under 0.27 fails."""
        job = self.add("j", last_run_status="failed", last_run_stop=NOW)
        self.write(add_inherited_run, job, NOW - timedelta(hours=1), 1)
        self.assertEqual([each["count"] for each in self.failing()], [1])

    def test_removed(self) -> None:
        """A job that is removed fails no more."""
        self.write(remove_job, self.add("j", Status.FAILED))
        self.assertEqual(self.names(), [])

    def test_last_words(self) -> None:
        """The end of the output is there, as text and not too much of it."""
        job = self.add("j")
        run_id = self.end(job, Status.FAILED)
        pieces = tuple(Piece(Stream.OUT, text) for text in ("one\ntwo\n", "<b>bold</b>\n", "four\n"))
        self.write(add_output, run_id, Output(20, pieces))
        self.assertEqual(self.failing()[0]["last_words"], "two\n<b>bold</b>\nfour")
        self.assertIn("<b>bold</b>", self.get("/failures").page.texts("pre")[0])
        long = self.end(job, Status.FAILED)
        self.write(add_output, long, Output(10**6, (), (Piece(Stream.OUT, "x" * 10_000),)))
        self.assertEqual(self.failing()[0]["last_words"], "…" + "x" * LAST_CHARACTERS)

    def acknowledge(self, job: int, **fields: str) -> None:
        answer = self.post(f"/api/jobs/{job}/acknowledge", json=fields)
        self.assertEqual(answer.code, 200, answer.text)

    def test_acknowledge(self) -> None:
        """What somebody knows of comes last, with the note, until the job has succeeded."""
        job = self.add("known", Status.FAILED, Status.FAILED)
        self.add("unknown", Status.FAILED)
        self.assertEqual(self.names(), ["unknown", "known"])
        self.acknowledge(job, by="ann", reason="disk is full")
        self.end(job, Status.FAILED)
        self.assertEqual(self.names(), ["unknown", "known"])
        known = self.failing()[1]["acknowledged"]
        self.assertEqual((known["who"], known["note"]), ("ann", "disk is full"))
        self.assertIn("ann knows of it, said now: disk is full", self.get("/failures").page.text)
        self.end(job, Status.SUCCEEDED)
        self.assertEqual(self.names(), ["unknown"])
        self.end(job, Status.FAILED)
        self.assertEqual([each["acknowledged"] for each in self.failing()], [None, None])

    def test_nothing_fails(self) -> None:
        """Of a job that is well, or never ran, there is nothing to acknowledge."""
        for job in (self.add("well", Status.FAILED, Status.SUCCEEDED), self.add("new")):
            answer = self.post(f"/api/jobs/{job}/acknowledge", json={})
            message = f"Job {job} does not fail, so there is nothing to acknowledge."
            self.assertEqual((answer.code, answer.json["error"]["message"]), (409, message))

    def test_record(self) -> None:
        """The record of changes has each note once, with the one that it replaces."""
        job = self.add("j", Status.FAILED)
        for note in ("one", "two", "two"):
            self.acknowledge(job, reason=note)
        self.post(f"/api/jobs/{job}/unacknowledge", json={})
        changes = self.get(f"/api/changes?job={job}").json["data"]["changes"]
        one, two = {"note": "one"}, {"note": "two"}
        expected = [(None, one), (one, two), (two, None)]
        self.assertEqual([(each["before"], each["after"]) for each in reversed(changes)], expected)

    def test_take_back(self) -> None:
        """It can be taken back, once."""
        job = self.add("j", Status.FAILED)
        self.acknowledge(job)
        self.assertEqual(self.post(f"/api/jobs/{job}/unacknowledge", json={}).code, 200)
        self.assertIsNone(self.failing()[0]["acknowledged"])
        self.assertEqual(self.post(f"/api/jobs/{job}/unacknowledge", json={}).code, 409)

    def test_form(self) -> None:
        """The form on the page does the same, and leads back there; both are on record."""
        job = self.add("j", Status.FAILED)
        path = f"/job/{job}/acknowledge"
        token = self.get("/failures").page.token(path)
        answer = self.post(path, data={"form_token": token, "reason": "mine"})
        self.assertEqual((answer.code, answer.header("Location")), (303, "/failures"))
        self.assertEqual(self.failing()[0]["acknowledged"]["note"], "mine")
        text = self.get("/changes").page.text
        self.assertIn("acknowledged the failures of", text)

    def test_no_such_job(self) -> None:
        """Of a job that is not there, or not any more, nothing is acknowledged."""
        self.assertEqual(self.post("/api/jobs/99/acknowledge", json={}).code, 404)
        job = self.add("j", Status.FAILED)
        self.write(remove_job, job)
        self.assertEqual(self.post(f"/api/jobs/{job}/acknowledge", json={}).code, 409)
