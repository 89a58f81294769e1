"""What a person sees of `cronq jobs` and `cronq show`."""

import json
import re
from typing import Any

from tests.commands.cli.case import CliTestCase, answer, job, run

HOSTILE = "\x1b[31mred\nline\u202e\x9b2J"
LIST = "GET api/jobs?per_page=100&sort=id.asc&page=0"


class JobsTests(CliTestCase):
    """The list."""

    def test_table(self) -> None:
        """Each job is a line, under titles, with its state in words and its times as seen from now."""
        self.web.has_jobs(
            job(1, run()),
            job(12, name="nightly", next_run="2026-11-24T02:30:00", schedule="R/2026-01-01T02:30:00Z/P1D"),
            job(13, run(status="timed_out"), next_run=None, routing_key="slow"),
        )
        self.assertSays(
            ["jobs"],
            0,
            [
                "ID  CATEGORY  NAME     SCHEDULE                STATUS     LAST RUN  NEXT RUN  ROUTING KEY",
                " 1  example   job 1    every 15 minutes        succeeded  20 s ago  in 9 min  default",
                "12  example   nightly  every day at 02:30 UTC  never ran  -         in 19 h   default",
                "13  example   job 13   every 15 minutes        timed out  20 s ago  -         slow",
            ],
            [],
        )

    def test_state_without_runs(self) -> None:
        """When the server lists no runs, as after retention, the state is that of the last report."""
        self.web.has_jobs(job(1, current_status="starting"), job(2, current_status="failed"))
        _, out, _ = self.call("jobs")
        self.assertEqual([line.split("  ")[4].strip() for line in out[1:]], ["running", "failed"])

    def test_running_wins(self) -> None:
        """A job with a run that is running is running, whatever was skipped or waits since."""
        skipped, waiting = run(3, status="skipped"), run(2, status="queued")
        self.web.has_jobs(
            job(1, skipped, waiting, run(1, status="running"), current_status="starting"),
            job(2, skipped, current_status="starting"),
            job(3, skipped),
        )
        _, out, _ = self.call("jobs")
        self.assertEqual([line.split("  ")[4].strip() for line in out[1:]], ["running", "running", "skipped"])

    def test_of_another_version(self) -> None:
        """Jobs without a schedule, or with one that is not understood here, are listed as they are."""
        old = {key: value for key, value in job(1, interval=5.0).items() if key != "schedule"}
        self.web.has_jobs(old, job(2, schedule="@fortnightly"), job(3, schedule=None, interval=None))
        _, out, _ = self.call("jobs")
        self.assertEqual(
            [line.split("  ")[3].strip() for line in out[1:]], ["every 5 s", "@fortnightly", "-"]
        )

    def test_servers_clock(self) -> None:
        """Times are as seen by the server, whose clock may differ from ours."""
        date = "Mon, 23 Nov 2026 08:05:00 GMT"
        self.web.on(LIST, answer({"data": {"jobs": [job(1, run())]}}, date=date))
        _, out, _ = self.call("jobs")
        self.assertIn("  1 h ago   50 min ago  ", out[1])

    def test_terminal_of_80_columns(self) -> None:
        """No line is wider than the terminal; long names end with an ellipsis, some columns go."""
        self.width = 80
        self.environment["NO_COLOR"] = "1"
        long = "an exceedingly long name of a job, longer than anybody needs"
        self.web.has_jobs(job(1, run(), name=long), job(2, name="備份資料庫的工作" * 4))
        self.assertSays(
            ["jobs"],
            0,
            [
                "ID  CATEGORY  NAME               SCHEDULE          STATUS     LAST RUN  NEXT RUN",
                " 1  example   an exceedingly l…  every 15 minutes  succeeded  20 s ago  in 9 min",
                " 2  example   備份資料庫的工作…  every 15 minutes  never ran  -         in 9 min",
            ],
            [],
        )

    def test_narrow_terminal(self) -> None:
        """The narrowest ones show which job it is, how it stands and when it runs."""
        self.width = 47
        self.environment["NO_COLOR"] = "1"
        self.web.has_jobs(job(1, run(), name="a somewhat long name"))
        self.assertSays(
            ["jobs"],
            0,
            [
                "ID  CATEGORY  NAME          STATUS     NEXT RUN",
                " 1  example   a somewhat…   succeeded  in 9 min",
            ],
            [],
        )

    def test_colours(self) -> None:
        """On a terminal the states have colours as well, but not with NO_COLOR or in a pipe."""
        self.web.has_jobs(job(1, run()), job(2, run(status="failed")), job(3, run(status="queued")), job(4))
        self.width = 200
        _, coloured, _ = self.call("jobs")
        for word, colour in (("succeeded", 32), ("failed", 31), ("queued", 36)):
            self.assertTrue(any(f"\x1b[{colour}m{word:<9}\x1b[0m" in line for line in coloured), coloured)
        self.assertNotIn("\x1b", coloured[0] + coloured[4])
        self.environment["NO_COLOR"] = "1"
        self.assertNotIn("\x1b", "".join(self.call("jobs")[1]))
        del self.environment["NO_COLOR"]
        self.width = None
        self.assertNotIn("\x1b", "".join(self.call("jobs")[1]))

    def test_hostile_names(self) -> None:
        """What a terminal would obey is escaped, wherever it stands."""
        self.web.has_jobs(
            job(1, name=HOSTILE, category={"id": 1, "name": "a\rb"}, routing_key="\x07", schedule="\x1b]0;x")
        )
        _, out, _ = self.call("jobs")
        self.assertEqual(
            out[1],
            r" 1  a\rb      \x1b[31mred\nline\u202e\x9b2J  \x1b]0;x  never ran  -         in 9 min  \x07",
        )

    def test_pages(self) -> None:
        """All pages are asked for, and a job that has moved from one to the next is listed once."""
        first = [job(number) for number in range(1, 101)]
        second = [job(100), job(105)]
        for page, jobs in enumerate((first, second)):
            self.web.on(f"{LIST[:-1]}{page}", answer({"data": {"jobs": jobs}}))
        _, out, _ = self.call("jobs", "--json")
        self.assertEqual([json.loads(line)["id"] for line in out], [*range(1, 101), 105])
        self.assertEqual(len(self.web.requests), 2)

    def test_category(self) -> None:
        """Only the category that is asked for, whatever its name."""
        self.web.has_jobs(job(3), category="a%26b+%C3%B6%2F")
        code, out, _ = self.call("jobs", "--category", "a&b ö/")
        self.assertEqual((code, len(out)), (0, 2))

    def test_search(self) -> None:
        """What is looked for may stand in the name or the command, in any case of letters."""
        self.web.has_jobs(job(1, name="Back up"), job(2, command="/bin/BACK-UP"), job(3))
        self.assertEqual([line[:2] for line in self.call("jobs", "--search", "back")[1]], ["ID", " 1", " 2"])
        self.assertSays(["jobs", "--search", "x y"], 0, [], ["No job has 'x y' in its name or command."])

    def test_none(self) -> None:
        """Without jobs it says how to get some."""
        self.web.has_jobs()
        self.assertSays(["jobs"], 0, [], ["There are no jobs. `cronq apply FILE` brings some in."])
        self.assertSays(["jobs", "--json"], 0, [], ["There are no jobs. `cronq apply FILE` brings some in."])

    def test_empty_category(self) -> None:
        """A category without jobs is something else than one that is not there."""
        self.web.has_jobs(category="a%2Fb")
        self.web.on("GET api/categories/a%2Fb", answer({"data": {"category": {"id": 1, "name": "a/b"}}}))
        self.assertSays(["jobs", "--category", "a/b"], 0, [], ["The category a/b has no jobs."])
        self.web.has_jobs(category="c")
        expected = ["cronq: Nothing at GET api/categories/c.", "`cronq jobs` lists what there is."]
        self.assertSays(["jobs", "--category", "c"], 3, [], expected)

    def test_json(self) -> None:
        """A job is one line with the object that the API gives, in ASCII."""
        jobs = [job(1, run(), name=HOSTILE), job(2)]
        self.web.has_jobs(*jobs)
        code, out, err = self.call("jobs", "--json")
        self.assertEqual((code, [json.loads(line) for line in out], err), (0, jobs, []))
        self.assertTrue(all(line.isascii() and line.isprintable() for line in out))


class ShowTests(CliTestCase):
    """One job."""

    def test_show(self) -> None:
        """Everything about a job."""
        self.web.has_jobs(job(7, command="cd /srv\n./backup", last_run_start="2026-11-23T07:05:00"))
        self.assertSays(
            ["show", "7"],
            0,
            [
                "name:        job 7",
                "category:    example",
                "id:          7",
                "status:      never ran",
                "schedule:    R/2026-01-01T00:00:00Z/PT15M (every 15 minutes)",
                "next run:    2026-11-23 07:15:00 UTC (in 9 min)",
                "last run:    2026-11-23 07:05:00 UTC (20 s ago)",
                "routing key: default",
                "command:     cd /srv",
                "             ./backup",
                "page:        http://127.0.0.1:5000/job/7",
            ],
            [],
        )

    def test_rules(self) -> None:
        """All values stand below each other, however long their names are."""
        self.web.has_jobs(job(7, rules={"success_codes": [0, 24], "retries": 2}))
        _, out, _ = self.call("show", "7")
        self.assertIn("name:          job 7", out)
        self.assertIn("success_codes: [0, 24]", out)
        self.assertIn("retries:       2", out)

    def test_after_others(self) -> None:
        """A job that runs after others says so instead of a time."""
        only = {"schedule": None, "interval": None, "next_run": None}
        self.web.has_jobs(job(7, rules={"after": ["a"]}, schedule_in_words="after a", **only))
        _, out, _ = self.call("show", "7")
        self.assertIn("schedule:    after a", out)
        self.assertIn("next run:    when those that it runs after have succeeded", out)

    def has_runs(self) -> None:
        """Job 7 has one run of each kind."""
        missed: dict[str, Any] = {"slots": 34, "last_slot": "2026-11-23T06:55:00", "host": None}
        missed |= {"started_at": None, "return_code": None, "run_time": None, "reason": "no injector was up"}
        self.web.has_jobs(
            job(
                7,
                run(id="c", status="running", completed_at=None, run_time=None, return_code=None, slot=None),
                run(id="b", status="failed", return_code=3, run_time=None),
                run(id="a", status="missed", **missed),
            )
        )

    def test_runs(self) -> None:
        """Below it stand its latest runs, each with what is known of it."""
        self.has_runs()
        _, out, _ = self.call("show", "7")
        self.assertEqual(out[3], "status:      running")
        self.assertEqual(out[10], "")
        slot = started = "2026-11-23 07:05:00"
        reason = "34 slots until 2026-11-23 06:55:00: no injector was up"
        self.assertEqual(
            [re.split("  +", line) for line in out[11:]],
            [
                ["SLOT", "STATUS", "STARTED", "TOOK", "EXIT", "HOST", "REASON", "RUN"],
                ["-", "running", started, "-", "-", "worker-1", "-", "c"],
                [slot, "failed", started, "2 s", "3", "worker-1", "-", "b"],
                [slot, "missed", "-", "-", "-", "-", reason, "a"],
            ],
        )

    def test_attempts(self) -> None:
        """A further attempt is told as such beside its slot."""
        self.web.has_jobs(job(7, run(id="b", attempt=2), run(id="a"), run(id="0", slot=None, attempt=2)))
        _, out, _ = self.call("show", "7")
        slot = "2026-11-23 07:05:00"
        found = [re.split("  +", line)[0] for line in out[-3:]]
        self.assertEqual(found, [f"{slot}, attempt 2", slot, "attempt 2"])

    def test_runs_on_a_terminal(self) -> None:
        """A narrow terminal shows what is most needed."""
        self.has_runs()
        self.environment["NO_COLOR"] = "1"
        self.width = 80
        self.assertEqual(
            self.call("show", "7")[1][11:],
            [
                "SLOT                 STATUS   STARTED              TOOK  EXIT  REASON",
                "-                    running  2026-11-23 07:05:00  -        -  -",
                "2026-11-23 07:05:00  failed   2026-11-23 07:05:00  2 s      3  -",
                "2026-11-23 07:05:00  missed   -                    -        -  34 slots until 2…",
            ],
        )

    def test_removed(self) -> None:
        """A job that was removed says so, and that it has no next run."""
        self.web.has_jobs(job(7, next_run=None, removed_at="2026-11-20T07:05:20"))
        _, out, _ = self.call("show", "7")
        self.assertIn("removed:     2026-11-20 07:05:20 UTC (3 d ago)", out)
        self.assertIn("next run:    never", out)

    def test_by_name(self) -> None:
        """A job may be named by category and name, both of which may have slashes."""
        self.web.has_jobs(job(1), category="a")
        self.web.has_jobs(job(2), job(3, name="c/d"), category="a%2Fb")
        self.web.has_jobs(category="a%2Fb%2Fc")
        code, out, _ = self.call("show", "a/b/c/d")
        self.assertEqual((code, out[2]), (0, "id:          3"))

    def test_not_found(self) -> None:
        """What is not there ends with 3, and says how a job is named."""
        hint = (
            "Say its id, or its category and name as in `example/backup`; `cronq jobs` lists what there is."
        )
        self.web.has_jobs(category="example")
        self.assertSays(["show", "example/no"], 3, [], ["cronq: there is no job example/no", hint])
        self.web.has_jobs(job(15, name="b/c"), category="a")
        self.web.has_jobs(job(14, name="c"), category="a%2Fb")
        said = ["cronq: several jobs are called a/b/c", "Say its id: 14 or 15."]
        self.assertSays(["show", "a/b/c"], 2, [], said)
        self.assertSays(["show", "backup"], 3, [], ["cronq: there is no job backup", hint])
        self.assertSays(["show", "9" * 50], 3, [], [f"cronq: there is no job {'9' * 50}", hint])
        expected = ["cronq: Nothing at GET api/jobs/4.", "`cronq jobs` lists what there is."]
        self.assertSays(["show", "4"], 3, [], expected)

    def test_hostile(self) -> None:
        """What a terminal would obey is escaped; only a command may have several lines."""
        odd = run(reason="a\nb", host="\x1b[2J")
        self.web.has_jobs(job(7, odd, name="a\nid: 1", command="true\n\x1b[2Jfalse\r"))
        _, out, _ = self.call("show", "7")
        self.assertEqual(out[0], r"name:        a\nid: 1")
        self.assertEqual(out[8:10], ["command:     true", r"             \x1b[2Jfalse\r"])
        self.assertIn(r"  \x1b[2J  a\nb  ", out[-1])

    def test_json(self) -> None:
        """The object that the API gives, in one line."""
        self.web.has_jobs(job(7, run()))
        code, out, err = self.call("show", "7", "--json")
        self.assertEqual((code, list(map(json.loads, out)), err), (0, [job(7, run())], []))
