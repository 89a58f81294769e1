"""The page of a run."""

from datetime import timedelta

from cronq.domain.messages import Report
from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.requests import RunRequest
from cronq.domain.runs import Status
from cronq.web.site import WebSettings
from tests.web.seed import (
    NOW,
    add_category,
    add_event,
    add_full_run,
    add_inherited_run,
    add_job,
    add_output,
    add_run,
    remove_job,
)
from tests.web.support import WebTestCase

STEPS = ("due", "queued", "published", "granted", "started", "ended", "recorded")


class RunPageTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(
            add_job, self.write(add_category, "c"), "j", command="exit 3", routing_key="slow"
        )

    def text(self, run_id: str) -> str:
        return self.get(f"/run/{run_id}").page.text

    def test_failed(self) -> None:
        """The page says what became of the run in words, and all that is known about it."""
        slot = NOW - timedelta(hours=1)
        run = self.write(add_full_run, self.job, Status.FAILED, slot, 1.5, return_code=3, definition_id=1)
        text = self.text(run)
        for part in (
            "c / j",
            "Run for 2026-11-23 06:05:20 UTC",
            "It failed: exit 3.",
            "Return code exit 3",
            "Took 1.5 s",
            "Host worker-3.example.net",
            "Routing key slow",
            f"Run id {run}",
            "Command exit 3",
        ):
            self.assertIn(part, text)

    def test_command_of_its_time(self) -> None:
        """The command is the one that the run was made with, whatever the job is now."""
        run = self.write(add_run, self.job, Status.SUCCEEDED, definition_id=1)
        document = {"jobs": [{"name": "j", "schedule": "R1/2027-01-01T00:00:00Z/P1D", "command": "new"}]}
        self.assertEqual(self.ask("PUT", "/api/category/c", json=document).code, 200)
        self.assertEqual(self.get(f"/run/{run}").page.texts("pre"), ["exit 3"])
        self.assertEqual(self.get(f"/job/{self.job}").page.texts("pre"), ["new"])

    def test_output(self) -> None:
        """The beginning and the end of its output are shown as text, whatever is in them."""
        run = self.write(add_full_run, self.job, Status.FAILED, NOW, 1.5, return_code=3)
        head = (
            Piece(Stream.OUT, "<script>alert(1)</script>\r\n\x1b[31mred\x1b[0m \x1b]0;x\x07\u202e\0"),
            Piece(Stream.ERR, "oops"),
        )
        self.write(add_output, run, Output(1234567, head, (Piece(Stream.OUT, "the end"),), (61, 1234560)))
        page = self.get(f"/run/{run}").page
        (shown,) = [each.text for each in page.all("pre") if each.attributes.get("id") == "output"]
        gap = "1,234,499 bytes are left out here"
        self.assertEqual(shown, rf"<script>alert(1)</script> red \u202e\x00oops{gap}the end")
        classes = [
            each.attributes.get("class") for each in page.all("span") if each.text in {"red", "oops", gap}
        ]
        self.assertEqual(classes, ["c1", "err", "left-out"])
        self.assertIn("1,234,567 bytes, of which the beginning and the end are kept here", page.text)
        self.assertIn("worker-3.example.net has it all", page.text)

    def test_download(self) -> None:
        """Its output is there as plain text, as it was written; a run without any has an empty one."""
        run = self.write(add_full_run, self.job, Status.FAILED, NOW, 1.5, return_code=3)
        self.assertEqual(self.get(f"/run/{run}/output.txt").text, "")
        head = Piece(Stream.OUT, "<b>\x1b[31mred"), Piece(Stream.ERR, "oops")
        self.write(add_output, run, Output(30, head, (Piece(Stream.OUT, "end"),), (12, 27)))
        answer = self.get(f"/run/{run}/output.txt")
        self.assertEqual(answer.header("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.text, "<b>\x1b[31mredoops\n[15 bytes are left out here]\nend")
        self.assertEqual(self.get(f"/run/{'0' * 32}/output.txt").code, 404)

    def test_no_output(self) -> None:
        """A run without output has no such section."""
        run = self.write(add_full_run, self.job, Status.FAILED, NOW, 1.5, return_code=3)
        self.assertNotIn("Output", self.text(run))

    def steps(self, run: str) -> list[str]:
        """The rows of its first table."""
        page = self.get(f"/run/{run}").page
        rows = [each.text for each in page.all("tr")]
        return [row for row in rows if row.partition(" ")[0] in STEPS]

    def test_given_up(self) -> None:
        """Of a lost run nobody knows how long it took; what is told is when it was given up."""
        lost = {"ended_at": NOW - timedelta(seconds=30), "recorded_at": NOW - timedelta(seconds=29)}
        run = self.write(add_full_run, self.job, Status.LOST, NOW - timedelta(minutes=1), None, **lost)
        text = self.text(run)
        self.assertIn("given up 07:04:50 .250", text)
        self.assertIn("until it was given up", text)
        self.assertIn("The start is by the runner's clock", text)
        for wrong in ("its command ran", "lost took", "Took"):
            self.assertNotIn(wrong, text)
        self.assertNotIn("lost, took", self.get(f"/job/{self.job}").text)
        told = self.get(f"/api/runs/{run}").json["data"]["run"]
        self.assertEqual((told["run_time"], told["times"]["ended"]), (None, None))
        self.assertEqual(told["times"]["given_up"], "2026-11-23T07:04:50.250000")
        self.assertEqual(told["completed_at"], "2026-11-23T07:04:50")

    def test_timeline(self) -> None:
        """Each step stands with its time, how long it took, and what was waited for."""
        run = self.write(add_full_run, self.job, Status.SUCCEEDED, NOW, 2.0, return_code=0)
        self.assertEqual(
            self.steps(run),
            [
                "due 07:05:20 .250 2026-11-23",
                "queued 07:05:20 .335 +85 ms until an injector took it",
                "published 07:05:20 .360 +25 ms until the broker had it",
                "granted 07:05:20 .570 +210 ms until a runner was granted its start",
                "started 07:05:20 .590 +20 ms until the runner began",
                "ended 07:05:22 .590 +2 s its command ran",
                "recorded 07:05:22 .650 +60 ms until its end was written down",
            ],
        )

    def test_steps_to_come(self) -> None:
        """What a run that has not ended still has before it stands there as well, and how long it waits."""
        run = self.write(add_run, self.job, Status.QUEUED, slot=NOW, queued_at=NOW - timedelta(seconds=3))
        found = [row for row in self.steps(run) if "not yet" in row]
        self.assertEqual(found[0], "published not yet 3 s so far until the broker had it")
        self.assertEqual(
            found[1:], [f"{name} not yet" for name in ("granted", "started", "ended", "recorded")]
        )

    def test_events(self) -> None:
        """The reports about the run stand below."""
        run = self.write(add_full_run, self.job, Status.FAILED, NOW, 1.0, return_code=143)
        rows = self.get(f"/run/{run}").page.texts("tr")[-2:]
        self.assertIn("1 starting now 2026-11-23 07:05:20 UTC worker-3.example.net", rows[0])
        self.assertTrue(rows[1].endswith("worker-3.example.net killed by SIGTERM (143)"), rows[1])

    def test_attempts(self) -> None:
        """All attempts at its slot stand on the page of each, with links."""
        slot = NOW - timedelta(hours=1)
        runs = [
            self.write(add_full_run, self.job, status, slot, 1.5, attempt=number, return_code=1)
            for number, status in enumerate((Status.FAILED, Status.LOST, Status.SUCCEEDED), 1)
        ]
        other = self.write(add_full_run, self.job, Status.FAILED, NOW, 1.5)
        for run in runs:
            page = self.get(f"/run/{run}").page
            links = [each.attributes["href"] for each in page.all("a")]
            self.assertEqual(
                [link for link in links if link.startswith("/run/")][-3:], [f"/run/{x}" for x in runs]
            )
            self.assertIn("of 3", page.text)
        self.assertNotIn("Attempts", self.get(f"/run/{other}").page.text)

    def test_attempts_by_hand(self) -> None:
        """So do those of a run by hand, among others of the same job."""
        first = self.write(add_run, self.job, Status.FAILED, superseded=True)
        for _ in range(3):
            self.write(add_run, self.job, Status.FAILED, attempt=2, previous_run_id="e" * 32)
        second = self.write(
            add_run, self.job, Status.FAILED, attempt=2, previous_run_id=first, superseded=True
        )
        third = self.write(add_run, self.job, Status.QUEUED, attempt=3, previous_run_id=second)
        for run in (first, second, third):
            found = self.get(f"/api/runs/{run}").json["data"]["run"]["attempts"]
            self.assertEqual([each["id"] for each in found], [first, second, third])

    def test_run_again(self) -> None:
        """It can be run again, with the same arguments and variables; who asks and why is kept."""
        asked = RunRequest("ada", "the first time", {"DAY": "1"}, ("--force", "a b"))
        run = self.write(add_run, self.job, Status.FAILED, request=asked.encode())
        page = self.get(f"/run/{run}").page
        self.assertIn("Now, with the same arguments and variables.", page.text)
        token = page.token(f"/run/{run}/again")
        answer = self.post(f"/run/{run}/again", data={"form_token": token, "reason": "once more"})
        self.assertEqual((answer.code, self.wakes), (303, 1))
        new = self.get(answer.header("Location") or "").page.text
        for part in ("queued", "Run by hand", "Why once more", "Arguments --force 'a b'", "Variables DAY=1"):
            self.assertIn(part, new)
        self.assertNotIn("ada", new)

    def test_run_again_later(self) -> None:
        """Neither a run that is not over nor one of a removed job can be run again from its page."""
        run = self.write(add_run, self.job, Status.RUNNING)
        self.assertNotIn("Run again", self.text(run))
        over = self.write(add_run, self.job, Status.FAILED)
        self.write(remove_job, self.job)
        self.assertNotIn("Run again", self.text(over))
        self.assertEqual(self.post(f"/api/runs/{over}/again").code, 409)

    def test_unroutable(self) -> None:
        """A run that no runner can get says how to start one that can."""
        run = self.write(add_run, self.job, Status.UNROUTABLE, definition_id=1)
        text = self.text(run)
        self.assertIn("It did not run. No queue is bound to its routing key.", text)
        self.assertIn("cronq-runner --queue slow", text)

    def test_missed_range(self) -> None:
        """A row for many slots says how many, and which are the first and the last."""
        run = self.write(
            add_run, self.job, Status.MISSED, slot=NOW - timedelta(hours=3), last_slot=NOW, slots=1234
        )
        text = self.text(run)
        self.assertIn("1,234 slots did not run. It fell into an outage.", text)
        self.assertIn("First slot 2026-11-23 04:05:20 UTC Last slot 2026-11-23 07:05:20 UTC", text)

    def test_removed_job(self) -> None:
        """A run of a removed job stays readable, and says that the job is removed."""
        run = self.write(add_run, self.job, Status.SUCCEEDED)
        self.write(remove_job, self.job)
        self.assertIn("Its job was removed 3 hours ago", self.text(run))

    def test_unknown(self) -> None:
        """Ids of no run are not found."""
        for run in ("0" * 32, "x", "0" * 31, "A" * 32, "%00", "%F0%9F%A6%8A", "%FF"):
            answer = self.get(f"/run/{run}")
            self.assertEqual(answer.code, 404, run)
            self.assertIn("no such run", answer.page.text)


class InheritedRunTests(WebTestCase):
    """Runs of which only events of 0.27 tell."""

    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")

    def text(self, run_id: str) -> str:
        return self.get(f"/run/{run_id}").page.text

    def test_ended(self) -> None:
        """The return code says how it ended."""
        failed = self.write(add_inherited_run, self.job, NOW - timedelta(days=1), 3)
        well = self.write(add_inherited_run, self.job, NOW - timedelta(hours=1), 0)
        self.assertIn("It failed: exit 3.", self.text(failed))
        self.assertIn("It succeeded.", self.text(well))
        self.assertIn("This is all that cronq 0.27 recorded.", self.text(well))

    def test_signal(self) -> None:
        """0.27 passed on what Python says of a death by signal."""
        run = self.write(add_inherited_run, self.job, NOW, -9)
        self.assertIn("It failed: killed by SIGKILL (-9).", self.text(run))

    def test_without_end(self) -> None:
        """The latest run of its job may still be running; one that others followed is lost."""
        first = self.write(add_inherited_run, self.job, NOW - timedelta(days=2), None)
        second = self.write(add_inherited_run, self.job, NOW - timedelta(days=1), None)
        self.assertIn(
            "Nobody knows how it ended. Cronq 0.27 recorded its start and never an end.", self.text(first)
        )
        self.assertIn("It is running. Cronq 0.27 recorded its start, and no end", self.text(second))

    def test_repeated(self) -> None:
        """A run that 0.27 repeated, as its broker was restarted, is one run, and its last end counts."""
        run = self.write(add_inherited_run, self.job, NOW - timedelta(hours=2), 1)
        for report, code in ((Report.STARTING, None), (Report.FINISHED, 0)):
            self.write(add_event, self.job, run, report, NOW - timedelta(hours=1), code, once=None)
        self.assertIn("It succeeded.", self.text(run))
        self.assertEqual(len(self.get(f"/job/{self.job}").page.part("found").texts("tr")), 2)

    def test_ended_under_this_version(self) -> None:
        """A run that began under 0.27 and was reported to this version is told once, as the ledger has it."""
        run = self.write(add_inherited_run, self.job, NOW - timedelta(hours=2), None)
        self.write(add_event, self.job, run, Report.FINISHED, NOW, 0)
        self.write(add_run, self.job, Status.SUCCEEDED, run_id=run)
        self.assertEqual(len(self.get(f"/job/{self.job}").page.part("found").texts("tr")), 2)
        self.assertIn("It succeeded.", self.text(run))

    def test_of_a_job_that_is_gone(self) -> None:
        """0.27 forgot the jobs that it removed; their runs are still told."""
        run = self.write(add_inherited_run, None, NOW, 1)
        self.assertIn("A job that cronq 0.27 removed", self.text(run))

    def test_behind_the_ledger(self) -> None:
        """On the page of a job they follow the runs of this version, page by page, each once."""
        old = [self.write(add_inherited_run, self.job, NOW - timedelta(days=1), n % 2) for n in range(60)]
        new = [
            self.write(add_full_run, self.job, Status.SUCCEEDED, NOW + timedelta(minutes=n))
            for n in range(30)
        ]
        path, found = f"/job/{self.job}", []
        while path:
            page = self.get(path).page
            links = [each.attributes["href"] for each in page.part("found").all("a")]
            found.append([link.removeprefix("/run/") for link in links if link.startswith("/run/")])
            path = page.link("Older runs →") if "Older runs →" in page.texts("a") else ""
        self.assertEqual([len(ids) for ids in found], [25, 25, 25, 15])
        self.assertEqual([each for page in found for each in page], (old + new)[::-1])


class LogLinkTests(WebTestCase):
    settings = WebSettings(
        log_url_template="https://logs.example/?q={job_id}+{run_id}&from={start_time}&to={end_time}&x={other}"
    )

    def link(self, run_id: str) -> str | None:
        page = self.get(f"/run/{run_id}").page
        return page.link("Open the log ↗") if "Open the log ↗" in page.texts("a") else None

    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")

    def test_ended(self) -> None:
        """The link names the run and the time from its start to its end."""
        run = self.write(add_full_run, self.job, Status.SUCCEEDED, NOW - timedelta(minutes=1), 2.0)
        self.assertEqual(
            self.link(run),
            f"https://logs.example/?q={self.job}+{run}&from=2026-11-23T07%3A04%3A20.000Z"
            "&to=2026-11-23T07%3A04%3A22.999Z&x={other}",
        )

    def test_running(self) -> None:
        """As long as the run has not ended, the time ends now."""
        run = self.write(add_full_run, self.job, Status.RUNNING, NOW - timedelta(minutes=1), None)
        self.assertIn("to=2026-11-23T07%3A05%3A20.999Z", self.link(run) or "")

    def test_not_started(self) -> None:
        """A run that never started has no output and no link."""
        self.assertIsNone(self.link(self.write(add_run, self.job, Status.MISSED, slot=NOW)))

    def test_no_dashboard(self) -> None:
        """Without a template there is no link."""
        self.serve(WebSettings())
        self.assertIsNone(self.link(self.write(add_full_run, self.job, Status.SUCCEEDED, NOW)))

    def test_template_that_makes_no_link(self) -> None:
        """A template that a browser would run, or that leads nowhere, stops the web before it begins."""
        for template in ("javascript:alert(1)", "logs.example/{run_id}", "", "ftp://logs.example/", "http:x"):
            with self.assertRaises(ValueError):
                WebSettings(log_url_template=template)
