"""The page of a job, and the button on it."""

from datetime import datetime, timedelta

from cronq.domain.rules import Rules
from cronq.domain.runs import Status
from cronq.web.site import WebSettings
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_run, remove_job
from tests.web.support import WebTestCase


class JobPageTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "billing")

    def test_describes_the_job(self) -> None:
        """The page says what runs, when and where."""
        columns = {"schedule": "R/2024-01-01T06:30:00Z/P1D", "command": "make it so", "routing_key": "slow"}
        job = self.write(add_job, self.category, "j", locked_by="host.1", **columns)
        text = self.get(f"/job/{job}").page.text
        for part in (
            "billing j",
            "make it so",
            "every day at 06:30 UTC",
            "R/2024-01-01T06:30:00Z/P1D",
            "slow",
        ):
            self.assertIn(part, text)
        self.assertIn("Last injector host.1", text)
        self.assertIn("No runs yet. The first is due in 23 hours.", text)

    def test_rules(self) -> None:
        """Rules are told as in a document, hostile ones do no harm; without any there is no heading."""
        rules = Rules(timeout=timedelta(hours=1), environment={"<b>A": "</code><script>"}).encode()
        text = self.get(f"/job/{self.write(add_job, self.category, 'j', rules=rules)}").page.text
        self.assertIn('Rules environment {"<b>A": "</code><script>"} timeout PT1H', text)
        text = self.get(f"/job/{self.write(add_job, self.category, 'k')}").page.text
        self.assertNotIn("Rules", text)

    def test_next_slots(self) -> None:
        """The next five slots are told, relative and exact."""
        job = self.write(add_job, self.category, "j")
        slots = [text for text in self.get(f"/job/{job}").page.texts("li") if "UTC" in text]
        self.assertEqual(slots[0], "in 39 s 2026-11-23 07:06:00 UTC")
        self.assertEqual(slots[4], "in 4 minutes 2026-11-23 07:10:00 UTC")
        self.assertEqual(len(slots), 5)

    def test_next_slots_when_paused(self) -> None:
        """What a pause leaves out, or somebody wants skipped, is no next run."""
        until = NOW + timedelta(hours=1)
        job = self.write(add_job, self.category, "j", paused_until=until)
        page = self.get(f"/job/{job}").page
        self.assertIn("next run in 1 hour 2026-11-23 08:06:00 UTC", page.part("state").text)
        self.assertIn("Next slots after the pause in 1 hour 2026-11-23 08:06:00 UTC", page.text)
        self.assertNotIn("07:06:00", page.text)
        off = self.write(add_job, self.category, "k", rules=Rules(enabled=False).encode())
        text = self.get(f"/job/{off}").page.text
        self.assertIn("no next run, as its slots are skipped", text)
        self.assertNotIn("Next slots", text)
        self.assertEqual(self.get("/").page.text.count("none while paused"), 2)
        skipping = self.write(add_job, self.category, "l", skip_slot=datetime(2026, 11, 23, 7, 6))
        page = self.get(f"/job/{skipping}").page
        self.assertIn("next run in 1 minute 2026-11-23 07:07:00 UTC", page.part("state").text)
        self.assertIn("in 39 s will be skipped 2026-11-23 07:06:00 UTC", page.text)

    def test_next_slots_when_late(self) -> None:
        """Of slots that are long due only the first is told, then those to come."""
        job = self.write(add_job, self.category, "j", next_run=datetime(2026, 11, 23, 6, 0))
        slots = [text for text in self.get(f"/job/{job}").page.texts("li") if "UTC" in text]
        self.assertEqual(
            slots[:2], ["due 1 hour ago 2026-11-23 06:00:00 UTC", "in 39 s 2026-11-23 07:06:00 UTC"]
        )

    def test_schedule_that_ends(self) -> None:
        """A job that has had its last slot says that there is no next one."""
        once = {"schedule": "R1/2026-01-01T00:00:00Z/P1D", "next_run": None}
        text = self.get(f"/job/{self.write(add_job, self.category, 'j', **once)}").page.text
        self.assertIn("no next run", text)
        self.assertIn("once at 2026-01-01 00:00 UTC", text)

    def test_after_others(self) -> None:
        """A job that runs after others has no time to tell, and says so."""
        rules = Rules(after=("a", "b")).encode()
        job = self.write(add_job, self.category, "j", schedule=None, next_run=None, rules=rules)
        text = self.get(f"/job/{job}").page.text
        self.assertIn("runs after others", text)
        self.assertIn("after a, b", text)
        found = self.get(f"/api/jobs/{job}").json["data"]["job"]
        self.assertEqual((found["schedule"], found["schedule_in_words"]), (None, "after a, b"))

    def test_runs(self) -> None:
        """A run is told with its slot, how late it began, how long it took and what became of it."""
        job = self.write(add_job, self.category, "j")
        slot = NOW - timedelta(hours=2)
        self.write(add_full_run, job, Status.FAILED, slot, 62.0, return_code=3)
        cells = self.get(f"/job/{job}").page.part("found").texts("td")
        what = ["after 340 ms", "1 min 2 s", "worker-3.example.net", "It failed: exit 3."]
        self.assertEqual(cells, ["failed", "2 hours ago 2026-11-23 05:05:20 UTC", *what])

    def test_run_by_hand(self) -> None:
        """A run without a slot is told to be one by hand, a later attempt as such."""
        job = self.write(add_job, self.category, "j")
        self.write(add_run, job, Status.QUEUED, queued_at=NOW, attempt=2)
        self.assertIn(
            "by hand 2026-11-23 07:05:20 UTC attempt 2",
            self.get(f"/job/{job}").page.part("found").texts("tr")[-1],
        )

    def test_backfilled(self) -> None:
        """A run that a backfill has made is told from one in time, there and on its own page."""
        job = self.write(add_job, self.category, "j")
        causes = ("after", "after other jobs"), ("backfill", "by a backfill")
        for attempt, (cause, words) in enumerate(causes, start=1):
            run = self.write(add_run, job, Status.QUEUED, slot=NOW, cause=cause, attempt=attempt)
            slot = f"2026-11-23 07:05:20 UTC, {words}"
            self.assertIn(slot, self.get(f"/run/{run}").page.texts("dd"))
        rows = self.get(f"/job/{job}").page.part("found").texts("tr")
        self.assertEqual(["by a backfill" in row for row in rows], [False, True, False])

    def test_many_runs(self) -> None:
        """Older runs are on further pages, each run on one of them, the latest first."""
        job = self.write(add_job, self.category, "j")
        other = self.write(add_job, self.category, "k")
        expected = [self.write(add_run, job, Status.SUCCEEDED) for _ in range(60)][::-1]
        self.write(add_run, other, Status.SUCCEEDED)
        path, found = f"/job/{job}", []
        while path:
            page = self.get(path).page
            links = [each.attributes["href"] for each in page.all("a")]
            found.append([link.removeprefix("/run/") for link in links if link.startswith("/run/")])
            path = page.link("Older runs →") if "Older runs →" in page.texts("a") else ""
        self.assertEqual([len(ids) for ids in found], [25, 25, 10])
        self.assertEqual([each for page in found for each in page], expected)

    def test_bad_place_in_the_runs(self) -> None:
        """A place in the list that nobody gave out is refused."""
        job = self.write(add_job, self.category, "j")
        for place in ("", "x", "r", "r-1", "r9999999999999999999", "e1' OR 1"):
            self.assertEqual(self.get(f"/job/{job}", params={"older": place}).code, 400, place)

    def test_removed(self) -> None:
        """The page of a removed job keeps its history, says that it is removed, and offers no run."""
        job = self.write(add_job, self.category, "j")
        self.write(add_run, job, Status.SUCCEEDED)
        self.write(remove_job, job)
        page = self.get(f"/job/{job}").page
        self.assertIn("removed 3 hours ago", page.text)
        self.assertIn("no longer part of its category", page.text)
        self.assertEqual(len(page.part("found").texts("tr")), 2)
        self.assertEqual(page.texts("button"), ["Show"])

    def test_unknown(self) -> None:
        """Ids that no job has are not found, however large they are."""
        for job in (
            "1",
            "0",
            "007",
            "2147483647",
            "2147483648",
            "99999999999999999999",
            "-1",
            "x",
            "1x",
            "1/2",
        ):
            answer = self.get(f"/job/{job}")
            self.assertEqual(answer.code, 404, job)
            self.assertIn("Not Found", answer.page.text)


class RunNowTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")
        self.path = f"/job/{self.job}"

    def token(self) -> str:
        hidden = [
            each for each in self.get(self.path).page.all("input") if "form_token" in each.attributes["name"]
        ]
        return hidden[0].attributes["value"]

    def run_wanted(self) -> bool:
        page = self.get(self.path).page
        return "A run is asked for" in page.text or "queued" in page.texts("td")

    def test_button(self) -> None:
        """The button makes a run, wakes the injector, and leads back to the job, which shows the run."""
        answer = self.post(self.path, data={"run_now": "1", "form_token": self.token()})
        self.assertEqual((answer.code, answer.header("Location")), (303, self.path))
        self.assertTrue(self.run_wanted())
        self.assertEqual(self.wakes, 1)

    def test_several(self) -> None:
        """Each press is a run of its own; scripts of 0.27 ask for one until an injector has seen it."""
        for _ in range(2):
            self.post(self.path, data={"run_now": "1", "form_token": self.token()})
            self.post(self.path, data={"run_now": "1"})
        self.assertEqual(self.get(self.path).page.texts("td").count("queued"), 2)
        self.assertIn("A run is asked for", self.get(self.path).page.text)

    def test_said(self) -> None:
        """What is said with it stands on the page of the run; arguments and variables come line by line."""
        said = {"reason": "<b>late</b>", "arguments": "-f\r\na b\r\n\r\n", "environment": "A=b=c\nEMPTY="}
        self.post(self.path, data={"run_now": "1", "form_token": self.token()} | said)
        (run,) = self.get(f"/api/jobs/{self.job}").json["data"]["job"]["runs"]
        self.assertEqual(
            run["request"],
            {"reason": "<b>late</b>", "environment": {"A": "b=c", "EMPTY": ""}, "arguments": ["-f", "a b"]},
        )
        text = self.get(f"/run/{run['id']}").page.text
        for part in ("Run by hand", "Why <b>late</b>", "Arguments -f 'a b'", "Variables A=b=c EMPTY="):
            self.assertIn(part, text)

    def test_who(self) -> None:
        """Where it is known who has asked, the job and the run say so."""
        self.post(f"/api/jobs/{self.job}/run", json={"by": "<i>anna</i>"})
        page = self.get(self.path).page
        self.assertIn("by hand, <i>anna</i> 2026-11-23 07:05:20 UTC", page.texts("td"))

    def test_wrong_variables(self) -> None:
        """A line that is no variable is told."""
        data = {"run_now": "1", "form_token": self.token(), "environment": "A=1\nB"}
        answer = self.post(self.path, data=data)
        self.assertEqual(answer.code, 400)
        self.assertIn('Environment: expected NAME=value, found "B"', answer.page.text)
        self.assertFalse(self.run_wanted())

    def test_script_without_token(self) -> None:
        """Scripts that were written for 0.27 know nothing of tokens, and work."""
        self.assertEqual(self.post(self.path, data={"run_now": "1"}).code, 303)
        self.assertTrue(self.run_wanted())

    def test_multipart(self) -> None:
        """`curl -F` does as well as `curl -d`."""
        body = b'--x\r\nContent-Disposition: form-data; name="run_now"\r\n\r\n1\r\n--x--\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        self.assertEqual(self.post(self.path, data=body, headers=headers).code, 303)

    def test_wrong_token(self) -> None:
        """A token that is wrong, or for another job, is refused, and nothing happens."""
        other = self.write(add_job, self.write(add_category, "d"), "k")
        foreign = self.post(f"/job/{other}", data={"run_now": "1", "form_token": self.token()})
        broken = [
            self.post(self.path, data={"run_now": "1", "form_token": token}) for token in ("", "x", "1.2")
        ]
        for answer in (foreign, *broken):
            self.assertEqual(answer.code, 403)
            self.assertIn("This form was not made by this cronq.", answer.page.text)
        self.assertFalse(self.run_wanted())
        self.assertEqual(self.wakes, 0)

    def test_old_token(self) -> None:
        """A page that was left open for more than a day has to be loaded again."""
        token = self.token()
        self.seconds += 24 * 3600
        self.assertEqual(self.post(self.path, data={"run_now": "1", "form_token": token}).code, 303)
        self.seconds += 1
        answer = self.post(self.path, data={"run_now": "1", "form_token": token})
        self.assertEqual(answer.code, 403)
        self.assertIn("too old", answer.page.text)

    def test_key_of_the_database(self) -> None:
        """Without a key of the operator, all webs of an installation share one that the database keeps."""
        self.serve(WebSettings())
        token = self.token()
        self.serve(WebSettings())
        self.assertEqual(self.post(self.path, data={"run_now": "1", "form_token": token}).code, 303)

    def test_another_key(self) -> None:
        """A token that was signed with another key is refused."""
        token = self.token()
        self.serve(WebSettings(secret_key="another"))
        self.assertEqual(self.post(self.path, data={"run_now": "1", "form_token": token}).code, 403)

    def test_nothing_asked(self) -> None:
        """A POST that does not say what it wants is told what to send."""
        for data in ({}, {"run_now": "0"}, {"run_later": "1"}):
            answer = self.post(self.path, data=data)
            self.assertEqual(answer.code, 400)
            self.assertIn("run_now=1", answer.page.text)
        self.assertFalse(self.run_wanted())

    def test_unknown_job(self) -> None:
        """A job that does not exist cannot be run."""
        self.assertEqual(self.post("/job/99", data={"run_now": "1"}).code, 404)

    def test_removed_job(self) -> None:
        """A removed job does not run again, and the page says why."""
        self.write(remove_job, self.job)
        answer = self.post(self.path, data={"run_now": "1"})
        self.assertEqual(answer.code, 409)
        self.assertIn("is removed from its category", answer.page.text)
        self.assertEqual(self.wakes, 0)
