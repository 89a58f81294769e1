"""What a person sees of `cronq run`, and a script of its exit code."""

import json
from typing import Any

from cronq.commands.cli.connection import HttpAnswer
from cronq.commands.cli.exits import Unreachable
from tests.commands.cli.case import CliTestCase, answer, job, refusal, run, runner

GET, POST = "GET api/jobs/1", "POST api/jobs/1/run"
ASKED = "Asked for a run of example/job 1 (job 1)."
RUN_9 = "00000000000000000000000000000009"
NOT_CALLED_OFF = "It is not called off; `cronq show 1` shows what becomes of it."
GONE = Unreachable("cannot reach it", "Start it.")
WAITING = {"completed_at": None, "return_code": None, "run_time": None}


def by_hand(**keys: Any) -> dict[str, Any]:
    """The run that was asked for."""
    return run(9, slot=None, **keys)


def queued() -> dict[str, Any]:
    return by_hand(status="queued", host=None, started_at=None, **WAITING)


def running() -> dict[str, Any]:
    return by_hand(status="running", **WAITING)


class RunTests(CliTestCase):
    """A web with one job."""

    def setUp(self) -> None:
        super().setUp()
        self.web.on(GET, self.job())
        self.web.on(POST, answer({"success": {"message": "Job submitted at 2026-11-23 07:05:20"}}))

    def job(self, *runs: dict[str, Any], **keys: Any) -> HttpAnswer:
        """An answer with the job, which has these runs besides an older one."""
        return answer({"data": {"job": job(1, *runs, run(1), **keys)}})

    def goes(self, *answers: HttpAnswer | Exception) -> None:
        """The job is asked for once before the run, and then looks like this from time to time."""
        self.web.on(GET, self.job(), *answers)

    def test_run(self) -> None:
        """Without --wait it says that a run is asked for, and is done."""
        line = "Asked for a run of example/job 1 (job 1); `cronq show 1` shows what becomes of it."
        self.assertSays(["run", "1"], 0, [line], [])
        self.assertEqual(self.web.asked(), [GET, POST])
        _, out, _ = self.call("run", "1", "--json")
        message = "Job submitted at 2026-11-23 07:05:20"
        self.assertEqual([json.loads(line) for line in out], [{"job_id": 1, "message": message}])
        named = answer({"success": {"message": message, "run_id": "a" * 32}})
        self.web.on(POST, named)
        self.assertSays(["run", "1"], 0, [line.replace("1);", f"1): run {'a' * 32};")], [])

    def test_said(self) -> None:
        """The server is told who asks, why, and what the command is given."""
        arguments = ["--reason", "late", "--env", "A=b=c", "x", "--", "--force"]
        self.assertEqual(self.call("run", "1", *arguments)[0], 0)
        said = {
            "by": "ada@example",
            "reason": "late",
            "environment": {"A": "b=c"},
            "arguments": ["x", "--force"],
        }
        self.assertEqual(json.loads(self.web.requests[-1].body or b""), said)
        self.user = None
        self.call("run", "1")
        self.assertEqual(self.web.requests[-1].body, b"{}")

    def test_wrong_variable(self) -> None:
        """A variable has a name and a value."""
        for wrong in ("A", "=b", ""):
            code, _, err = self.call("run", "1", "--env", wrong)
            self.assertEqual(
                (code, err[0]), (2, f"cronq: Invalid value for '--env': expected NAME=VALUE, found {wrong!r}")
            )
        self.assertEqual(self.web.asked("POST"), [])

    def test_wait_for_that_very_run(self) -> None:
        """Where the server says which run it is, others by hand are not taken for it."""
        self.web.on(POST, answer({"success": {"message": "", "run_id": RUN_9}}))
        other = run(8, slot=None, status="failed")
        self.goes(self.job(other), self.job(by_hand(), other))
        self.assertEqual(self.call("run", "1", "--wait")[0], 0)

    def test_by_name(self) -> None:
        """The job may be named by category and name."""
        self.web.has_jobs(job(1), category="example")
        self.assertEqual(self.call("run", "example/job 1")[0], 0)
        self.assertEqual(self.web.asked("POST"), [POST])

    def test_wait(self) -> None:
        """With --wait it says what goes on, and then how the run ended."""
        self.goes(self.job(), self.job(queued()), self.job(running()), self.job(by_hand()))
        self.assertSays(
            ["run", "1", "--wait"],
            0,
            [f"run {RUN_9}: succeeded (exit 0, took 2.4 s, on worker-1)"],
            [ASKED, f"Run {RUN_9} is queued.", f"Run {RUN_9} is running on worker-1."],
        )

    def test_failed(self) -> None:
        """A run that did not succeed ends with 1, and says why."""
        for keys, line in (
            ({"status": "failed", "return_code": 3}, "failed (exit 3, took 2.4 s, on worker-1)"),
            (
                {"status": "lost", "reason": "its runner is gone"} | WAITING,
                "lost (on worker-1): its runner is gone",
            ),
            ({"status": "lost", "return_code": None, "run_time": None}, "lost (on worker-1)"),
            (
                {"status": "unroutable", "host": None, "reason": "a\nb", "started_at": None} | WAITING,
                r"unroutable: a\nb",
            ),
        ):
            self.goes(self.job(by_hand(**keys)))
            self.assertSays(["run", "1", "--wait"], 1, [f"run {RUN_9}: {line}"], [ASKED])

    def test_other_runs(self) -> None:
        """Neither a run of the schedule, nor a retry, nor one that was asked for later is taken for it."""
        later = run(12, slot=None, status="failed")
        retry = run(8, slot=None, attempt=2, status="failed")
        scheduled = run(7, status="failed")
        self.goes(self.job(retry, scheduled), self.job(later, by_hand(), retry, scheduled))
        self.assertEqual(self.call("run", "1", "--wait")[0], 0)

    def test_timeout(self) -> None:
        """When the time is up it ends with 124, and the run goes on."""
        self.goes(self.job(running()))
        self.assertSays(
            ["run", "1", "--wait", "--timeout", "30"],
            124,
            [],
            [
                ASKED,
                f"Run {RUN_9} is running on worker-1.",
                f"cronq: the time is up, and run {RUN_9} is running on worker-1",
                NOT_CALLED_OFF,
            ],
        )
        self.assertEqual(self.clock.seconds(), 30)

    def test_nobody_takes_it(self) -> None:
        """After a while it says whom it waits for, once."""
        self.assertSays(
            ["run", "1", "--wait", "--timeout", "60"],
            124,
            [],
            [
                ASKED,
                "No injector has taken it yet: is one up?",
                "cronq: the time is up, and no injector has taken it yet",
                NOT_CALLED_OFF,
            ],
        )
        self.assertEqual(
            self.why_queued(),
            "No runner has taken it yet: are an injector and a runner for its routing key up?",
        )

    def why_queued(self, *runners: dict[str, Any]) -> str:
        """What is said of it after a while, when there are these runners."""
        self.web.on(GET, self.job(routing_key="slow"), self.job(queued()))
        listed = {"data": {"runners": runners}}
        self.web.on("GET api/runners?per_page=100&page=0", answer(listed))
        _, _, err = self.call("run", "1", "--wait", "--timeout", "60")
        self.assertEqual(err[1], f"Run {RUN_9} is queued.")
        return err[2]

    def test_why_it_is_queued(self) -> None:
        """It is told from the runners for its routing key whether it waits for one, or for a place."""
        ours: dict[str, Any] = {"routing_keys": ["slow"], "concurrency": 2}
        waiting: dict[str, Any] = {"data": {"run": {"routing_key": "slow", "reason": None}}}
        self.web.on(f"GET api/runs/{RUN_9}", answer(waiting))
        silent = runner("a", **ours | {"status": "silent"})
        full, idle = runner("b", **ours, busy=2), runner("c", **ours)
        two = "though the 2 runners for the routing key slow have only 2 of 4 places in use"
        for runners, said in (
            ([silent, runner("d")], "taken it yet: none is up for the routing key slow."),
            ([full, runner("d")], "yet: the runner for the routing key slow has 2 of 2 places in use."),
            ([full, idle], f"taken it yet, {two}: is an injector up?"),
        ):
            self.assertIn(said, self.why_queued(*runners))
        waiting["data"]["run"]["reason"] = "it waits for another run of its job"
        self.web.on(f"GET api/runs/{RUN_9}", answer(waiting))
        self.assertEqual(self.why_queued(), "It has not started yet: it waits for another run of its job")

    def test_restart_of_the_web(self) -> None:
        """A web that is away for a moment is waited for."""
        self.goes(self.job(running()), GONE, GONE, refusal(503, "No database."), self.job(by_hand()))
        self.assertSays(
            ["run", "1", "--wait"],
            0,
            [f"run {RUN_9}: succeeded (exit 0, took 2.4 s, on worker-1)"],
            [ASKED, f"Run {RUN_9} is running on worker-1.", "cannot reach it; trying again ..."],
        )

    def test_end_of_the_web(self) -> None:
        """One that stays away is not waited for longer than a minute."""
        self.goes(self.job(running()), GONE)
        code, _, err = self.call("run", "1", "--wait")
        self.assertEqual(
            (code, err[-3:]),
            (6, ["cannot reach it; trying again ...", "cronq: cannot reach it", "Start it."]),
        )
        self.assertTrue(60 <= self.clock.seconds() < 70)

    def test_removed(self) -> None:
        """A job that is removed before its run is made has none."""
        self.goes(self.job(removed_at="2026-11-23T07:05:21"))
        self.assertSays(["run", "1", "--wait"], 5, [], [ASKED, "cronq: the job was removed before it ran"])

    def test_out_of_sight(self) -> None:
        """A run that younger ones have pushed out of the job's list cannot be watched any more."""
        self.goes(self.job(running()), self.job())
        code, out, err = self.call("run", "1", "--wait")
        self.assertEqual((code, out), (1, []))
        self.assertEqual(
            err[-2:],
            [
                f"cronq: run {RUN_9} has not ended, and is no longer among the latest of its job",
                f"Its page is http://127.0.0.1:5000/run/{RUN_9}",
            ],
        )

    def test_refused(self) -> None:
        """What the server refuses is said in its words."""
        self.web.on(POST, refusal(409, "Job 1 is removed from its category, so it runs no more."))
        self.assertSays(
            ["run", "1"],
            5,
            [],
            [
                "cronq: Job 1 is removed from its category, so it runs no more.",
                "`cronq show JOB` says how things are.",
            ],
        )

    def test_json(self) -> None:
        """With --wait the object is that of the run, as the API gives it."""
        self.goes(self.job(by_hand(status="failed")))
        code, out, _ = self.call("run", "1", "--wait", "--json")
        self.assertEqual((code, list(map(json.loads, out))), (1, [by_hand(status="failed")]))

    def test_interrupted(self) -> None:
        """Ctrl-C ends the waiting and not the run."""
        self.goes(self.job(running()))
        self.patch(self.clock, "advance", self.interrupt)
        code, out, err = self.call("run", "1", "--wait")
        self.assertEqual((code, out), (130, []))
        self.assertEqual([line for line in err[2:] if line], [NOT_CALLED_OFF, "cronq: stopped"])

    def interrupt(self, _seconds: float) -> None:
        raise KeyboardInterrupt

    def test_misused(self) -> None:
        """--timeout says nothing without --wait, and is a number of seconds."""
        expected = "expected a number of seconds from 0 on"
        for arguments, message in (
            (["--timeout", "3"], "--timeout goes with --wait"),
            *(
                (
                    ["--wait", "--timeout", wrong],
                    f"Invalid value for '--timeout': {expected}, found {float(wrong)}",
                )
                for wrong in ("-1", "nan", "inf", "-inf")
            ),
        ):
            hint = "`cronq run --help` says how it is used."
            self.assertSays(["run", "1", *arguments], 2, [], [f"cronq: {message}", hint])
        self.assertEqual(self.web.requests, [])
