"""The commands against the real web, with a database in memory and no socket between them."""

import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cronq.commands.cli.connection import HttpAnswer, HttpRequest
from cronq.commands.cli.session import Outside
from cronq.database.tables import runs
from cronq.database.tokens import add_token
from cronq.database.users import add_user
from cronq.domain.access import SHELL, Role
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status
from tests.commands.cli.case import CliTestCase
from tests.web.seed import NOW, add_run, add_runner, remove_job
from tests.web.support import WebTestCase

SCHEDULE = "R/2026-01-01T00:00:00Z/PT15M"
NO_TOKEN = "cronq: CRONQ_TOKEN: the value cannot be used: expected a token, which begins with cq_"
HOSTILE = ("../../etc/passwd", "a/b c?d=e&f#g%2F", "<script>\n\x1b[2J", "größe 🦊 \u202e")


class RealWebTests(CliTestCase, WebTestCase):
    """Whatever a person types is understood by the web, and its answers by the command line."""

    def setUp(self) -> None:
        CliTestCase.setUp(self)
        WebTestCase.setUp(self)
        #: Whose name stands with what is asked for.
        self.asker = self.user
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def outside(self) -> Outside:
        return Outside(
            send=self.send,
            now=lambda: NOW,
            monotonic=self.clock.seconds,
            sleep=self.finish_run,
            user=lambda: self.user,
        )

    def send(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found = self.ask(request.method, path, headers=dict(request.headers), data=request.body)
        return HttpAnswer(found.code, {"content-type": found.header("Content-Type") or ""}, found.body)

    def finish_run(self, seconds: float) -> None:
        """While somebody waits, what was asked for happens."""
        self.clock.advance(seconds)
        ended = {"status": "failed", "ended_at": NOW, "started_at": NOW, "return_code": 3, "host": "h"}
        self.write(lambda connection: connection.execute(runs.update().values(ended)))

    def document(self, category: str, *names: str, command: str = "true") -> str:
        path = self.folder / "jobs.json"
        jobs = [{"name": name, "schedule": SCHEDULE, "command": command, "kommand": 1} for name in names]
        path.write_text(json.dumps({"category": category, "jobs": jobs}))
        return str(path)

    def test_export(self) -> None:
        """What is exported can be applied again, and changes nothing; whatever the names are."""
        for name in HOSTILE:
            self.assertEqual(self.call("apply", self.document(name, *HOSTILE))[0], 0)
            code, out, err = self.call("export", name)
            self.assertEqual((code, err), (0, []))
            path = self.folder / "exported.json"
            path.write_text("\n".join(out))
            code, out, _ = self.call("apply", str(path))
            self.assertEqual(code, 0)
            self.assertTrue(out[0].endswith("0 added, 0 changed, 0 removed, 4 unchanged"), out)

    def test_status(self) -> None:
        """The web is up."""
        self.assertEqual(self.call("status")[0], 0)

    def test_apply(self) -> None:
        """Applied once, a document adds its jobs; once more, it changes nothing."""
        path = self.document("example", "a", "b")
        said = [self.call("apply", path) for _ in range(2)]
        self.assertEqual([code for code, _, _ in said], [0, 0])
        self.assertEqual(
            [out for _, out, _ in said],
            [
                ["example: 2 added, 0 changed, 0 removed, 0 unchanged"],
                ["example: 0 added, 0 changed, 0 removed, 2 unchanged"],
            ],
        )
        self.assertEqual(len(said[0][2]), 2)
        path = self.document("example", "b", "c", command="false")
        expected = ["example: 1 added, 1 changed, 1 removed, 0 unchanged"]
        self.assertEqual(
            self.call("apply", "--dry-run", path)[1][0], f"{expected[0]} (dry run, nothing is sent)"
        )
        self.assertEqual(self.call("apply", path)[1], expected)

    def test_hostile_names(self) -> None:
        """Every name that the web takes can be applied, listed and shown."""
        for name in HOSTILE:
            self.assertEqual(self.call("apply", self.document(name, *HOSTILE))[0], 0)
            code, out, _ = self.call("jobs", "--category", name, "--json")
            self.assertEqual((code, [json.loads(line)["name"] for line in out]), (0, list(HOSTILE)))
            self.assertEqual(len(self.call("jobs", "--category", name)[1]), len(HOSTILE) + 1)
            code, out, _ = self.call("show", f"{name}/{HOSTILE[1]}")
            self.assertEqual((code, out[0]), (0, f"name:        {HOSTILE[1]}"))

    def test_many(self) -> None:
        """More jobs than fit on a page of the API are all there."""
        names = [f"job {number}" for number in range(101)]
        self.call("apply", self.document("example", *names))
        self.assertEqual(len(self.call("jobs", "--json")[1]), 101)
        self.assertEqual(self.call("show", "example/job 100")[0], 0)

    def test_run(self) -> None:
        """A run is asked for, and its end is seen."""
        self.call("apply", self.document("example", "a"))
        code, out, _ = self.call("run", "example/a", "--wait")
        self.assertEqual(code, 1)
        self.assertRegex(out[0], re.compile("^run [0-9a-f]{32}: failed [(]exit 3, took 0 ms, on h[)]$"))
        self.assertEqual(self.call("run", "1", "--json")[0], 0)
        self.assertEqual(self.wakes, 3)

    def test_run_with_arguments(self) -> None:
        """Whoever asks says why, and what the command is given; all of it stands with the run."""
        self.call("apply", self.document("example", "a"))
        arguments = [
            "--reason",
            "late",
            "--env",
            "DAY=2026-11-22",
            "--env",
            "EMPTY=",
            "--",
            "-f",
            "a b\n",
            "",
        ]
        self.assertEqual(self.call("run", "example/a", *arguments)[0], 0)
        (run,) = json.loads(self.call("show", "1", "--json")[1][0])["runs"]
        self.assertEqual(
            run["request"],
            {
                "by": self.asker,
                "reason": "late",
                "environment": {"DAY": "2026-11-22", "EMPTY": ""},
                "arguments": ["-f", "a b\n", ""],
            },
        )

    def test_kill(self) -> None:
        """A run that waits is called off, and then it is too late to do so again."""
        self.call("apply", self.document("example", "a"))
        run_id = json.loads(self.call("run", "1", "--json")[1][0])["run_id"]
        self.assertSays(["kill", run_id], 0, [f"Run {run_id} is called off; it had not started."], [])
        self.assertEqual(self.call("kill", run_id)[0], 5)
        self.assertEqual(self.call("kill", "../x")[0], 3)

    def test_run_of_a_removed_job(self) -> None:
        """A removed job can be shown, but not run."""
        self.call("apply", self.document("example", "a"))
        self.write(remove_job, 1)
        self.assertIn("removed:     2026-11-23 04:05:20 UTC (3 h ago)", self.call("show", "1")[1])
        code, _, err = self.call("run", "1")
        self.assertEqual((code, len(err)), (5, 2))

    def test_runners(self) -> None:
        """Runners are listed, however many there are and whatever they are called, and drained."""
        for name in (*HOSTILE, *(f"runner {number:03}" for number in range(120))):
            self.write(add_runner, name)
        code, out, _ = self.call("runners", "--json")
        self.assertEqual(code, 0)
        self.assertEqual(len({json.loads(line)["id"] for line in out}), len(HOSTILE) + 120)
        for name in HOSTILE:
            for _ in range(2):
                code, out, err = self.call("runners", "drain", name)
                self.assertEqual((code, len(out), err), (0, 1, []))
        self.assertEqual(self.call("runners", "drain", "runner")[0], 3)

    def test_silent_runner(self) -> None:
        """What hears nothing cannot be drained."""
        self.write(add_runner, "gone", RunnerStatus.SILENT)
        code, out, err = self.call("runners", "drain", "gone")
        self.assertEqual((code, out, len(err)), (5, [], 2))

    def test_not_found(self) -> None:
        """What is not there ends with 3."""
        for arguments in (["show", "7"], ["show", "a/b"], ["run", "7"], ["jobs", "--category", "a/b"]):
            code, out, err = self.call(*arguments)
            self.assertEqual((code, out, len(err)), (3, [], 2), arguments)

    def test_missed(self) -> None:
        """A row that stands for several slots is one line."""
        self.call("apply", self.document("example", "a"))
        later = NOW + timedelta(hours=2)
        columns = {"slot": NOW, "last_slot": later, "slots": 9, "reason": "no injector"}
        self.write(add_run, 1, Status.MISSED, queued_at=later, recorded_at=later, **columns)
        self.assertIn("  9 slots until 2026-11-23 09:05:20: no injector  ", self.call("show", "1")[1][-1])


class TokenTests(RealWebTests):
    """With a token all is as it is without a login; without one, one is told what to do."""

    def setUp(self) -> None:
        super().setUp()
        self.write(add_user, SHELL, "anna", Role.ADMIN, None, None)
        self.token = self.write(add_token, SHELL, "t", Role.EDITOR, None, None)
        self.environment["CRONQ_TOKEN"] = self.token
        self.asker = "t"

    def test_no_token(self) -> None:
        """Where a login is asked for, it says how to get a token; a token that is none is not sent."""
        del self.environment["CRONQ_TOKEN"]
        code, _, err = self.call("jobs")
        self.assertEqual((code, len(err)), (4, 2))
        self.assertIn("Put a token into CRONQ_TOKEN", err[1])
        self.environment["CRONQ_TOKEN"] = "s3cret"
        code, _, err = self.call("jobs")
        self.assertEqual((code, err), (2, [NO_TOKEN]))

    def test_token_of_a_viewer(self) -> None:
        """What a token is not good for is said with the role that it takes."""
        self.environment["CRONQ_TOKEN"] = self.write(add_token, SHELL, "v", Role.VIEWER, None, None)
        self.assertEqual(self.call("jobs")[0], 0)
        code, _, err = self.call("apply", self.document("example", "a"))
        self.assertEqual((code, err[-2]), (4, "cronq: This takes the role editor, and yours is viewer."))
