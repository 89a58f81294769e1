"""What a person sees of `cronq logs` and `cronq run --follow`, and a script of their exit codes."""

import json
from typing import Any

from cronq.commands.cli.connection import HttpAnswer
from cronq.commands.cli.exits import Unreachable
from tests.commands.cli.case import CliTestCase, answer, events, job, refusal, run

RUN_9 = "00000000000000000000000000000009"
OUTPUT, STREAM = f"GET api/runs/{RUN_9}/output", f"GET api/runs/{RUN_9}/stream?from="
GONE = Unreachable("cannot reach it", "Start it.")
WAITING = {"completed_at": None, "return_code": None, "run_time": None}
QUEUED = "state", run(9, status="queued", host=None, started_at=None, **WAITING)
RUNNING = "state", run(9, status="running", **WAITING)
ENDED = "end", run(9)
IS_RUNNING = f"Run {RUN_9} is running on worker-1."
SUCCEEDED = f"run {RUN_9}: succeeded (exit 0, took 2.4 s, on worker-1)"


def part(start: int, *pieces: str) -> dict[str, Any]:
    """A part of the output; a piece that begins with ! is of standard error."""
    made = [{"stream": "err" if each[0] == "!" else "out", "text": each.lstrip("!")} for each in pieces]
    return {"from": start, "to": start + sum(len(each["text"]) for each in made), "pieces": made}


def wrote(start: int, *pieces: str) -> tuple[str, Any, int]:
    """An event that tells of it."""
    made = part(start, *pieces)
    return "output", made, made["to"]


class LogsTests(CliTestCase):
    def kept(self, *parts: dict[str, Any], **keys: Any) -> None:
        """The web has this of the output."""
        found = {"size": 9, "status": "succeeded", "parts": parts, "left_out": 0, "remark": None} | keys
        self.web.on(OUTPUT, answer({"data": {"output": found}}))

    def goes(self, *answers: HttpAnswer | Exception, start: int = 0) -> None:
        """Whoever follows the run from there on is told so."""
        self.web.on(f"{STREAM}{start}", *answers)

    def test_kept(self) -> None:
        """Both streams are printed, and what is missing is said."""
        self.kept(part(0, "one\n", "!two\n"), part(1_000_008, "three\n"))
        self.assertSays(["logs", RUN_9], 0, ["one", "three"], ["two", "[1,000,000 bytes are left out here]"])
        _, out, err = self.call("logs", RUN_9, "--json")
        expected = [part(0, "one\n", "!two\n"), {"from": 8, "to": 1_000_008}, part(1_000_008, "three\n")]
        self.assertEqual((list(map(json.loads, out)), err), (expected, []))

    def test_nothing(self) -> None:
        """That there is nothing is said, and why."""
        self.kept(size=0)
        self.assertSays(["logs", RUN_9], 0, [], [f"Run {RUN_9} has written nothing."])
        self.kept(size=0, status="running", remark="Its runner has not answered yet.")
        self.assertSays(["logs", RUN_9], 0, [], ["Its runner has not answered yet."])
        self.web.on(OUTPUT, refusal(404, "There is no such run; it may have been pruned."))
        self.assertEqual(self.call("logs", RUN_9)[0], 3)
        self.web.on(OUTPUT, answer({"data": {}}))
        self.assertEqual(self.call("logs", RUN_9)[0], 1)

    def test_of_a_job(self) -> None:
        """Of a job it is the latest run."""
        self.web.has_jobs(job(1, run(9), run(8)), job(2), category="example")
        self.kept(part(0, "one\n"))
        for name in ("1", "example/job 1"):
            self.assertSays(["logs", name], 0, ["one"], [])
        hint = "`cronq run 2` runs it."
        self.assertSays(["logs", "2"], 3, [], ["cronq: example/job 2 has not run yet", hint])

    def test_followed(self) -> None:
        """What comes is printed as it comes, and at the end it is said how the run ended."""
        gap = "gap", {"from": 4, "to": 9}, 9
        self.goes(
            events(RUNNING, wrote(0, "one\n"), gap, wrote(9, "!two\n", "thr"), wrote(17, "ee\n"), ENDED)
        )
        err = [IS_RUNNING, "[5 bytes are left out here]", "two", SUCCEEDED]
        self.assertSays(["logs", RUN_9, "-f"], 0, ["one", "three"], err)

    def test_again_and_again(self) -> None:
        """An answer that ends is asked for again where it ended; a web that is away is waited for."""
        self.goes(GONE, GONE, events(RUNNING, wrote(0, "one\n")))
        self.goes(refusal(503, "No database."), events(RUNNING, wrote(4, "two\n"), ENDED), start=4)
        err = ["cannot reach it; trying again ...", IS_RUNNING, "No database.; trying again ...", SUCCEEDED]
        self.assertSays(["logs", RUN_9, "-f"], 0, ["one", "two"], err)

    def test_end_of_the_web(self) -> None:
        """One that stays away is not waited for longer than a minute."""
        self.goes(GONE)
        err = ["cannot reach it; trying again ...", "cronq: cannot reach it", "Start it."]
        self.assertSays(["logs", RUN_9, "-f"], 6, [], err)
        self.assertTrue(60 <= self.clock.seconds() < 70)

    def test_interrupted(self) -> None:
        """Ctrl-C leaves the run alone, and says so."""
        self.goes(events(RUNNING, wrote(0, "one\n")))
        self.patch(self.clock, "advance", self.interrupt)
        err = [IS_RUNNING, f"Run {RUN_9} is left as it is.", "cronq: stopped"]
        code, out, said = self.call("logs", RUN_9, "-f")
        self.assertEqual((code, out, [line for line in said if line]), (130, ["one"], err))

    def interrupt(self, _seconds: float) -> None:
        raise KeyboardInterrupt

    def test_remarks(self) -> None:
        """Why there is nothing to be seen is said, once."""
        why, well = ("remark", {"message": "Its runner is silent."}), ("remark", {"message": ""})
        self.goes(events(RUNNING, why, why, well, wrote(0, "one\n"), ENDED))
        self.assertSays(["logs", RUN_9, "-f"], 0, ["one"], [IS_RUNNING, "Its runner is silent.", SUCCEEDED])

    def test_nobody_takes_it(self) -> None:
        """After a while it says whom it waits for, once."""
        self.goes(*([events(QUEUED)] * 20), events(QUEUED, RUNNING, ENDED))
        _, _, err = self.call("logs", RUN_9, "-f")
        waits = "No runner has taken it yet: are an injector and a runner for its routing key up?"
        self.assertEqual(err, [f"Run {RUN_9} is queued.", waits, IS_RUNNING, SUCCEEDED])

    def test_not_cronq(self) -> None:
        """What is no cronq is said to be none."""
        for wrong in (("output", {"pieces": 7}), ("end", {}), ("remark", {})):
            self.goes(events(wrong))
            code, _, err = self.call("logs", RUN_9, "-f")
            self.assertEqual((code, len(err)), (1, 2), err)
        self.goes(answer("event: end\ndata: x\n\n"))
        self.assertEqual(self.call("logs", RUN_9, "-f")[0], 1)

    def test_on_a_terminal(self) -> None:
        """On a terminal colours stay, however they come in pieces, and nothing else that it would obey."""
        text = "\x1b[32mgreen\x1b[0m\t\x1b]0;title\x07\x1b[2J\r\n50 %\r99 %"
        tamed = ["\x1b[32mgreen\x1b[0m\t\\x1b]0;title\\x07\\x1b[2J", "50 %", "99 %\x1b[0m"]
        self.kept(part(0, *text))
        self.width = 80
        self.assertEqual(self.call("logs", RUN_9)[1], tamed)
        self.environment["NO_COLOR"] = "1"
        self.assertEqual(self.call("logs", RUN_9)[1], ["green\t\\x1b]0;title\\x07\\x1b[2J", "50 %", "99 %"])
        self.width = None
        self.kept(part(0, "\x1b[32mgreen\x1b[2J"))
        self.assertEqual(self.call("logs", RUN_9)[1], ["\x1b[32mgreen\x1b[2J"])


class RunAndFollowTests(CliTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.web.on("GET api/jobs/1", answer({"data": {"job": job(1)}}))
        self.web.on("POST api/jobs/1/run", answer({"success": {"message": "", "run_id": RUN_9}}))

    def test_exit_codes(self) -> None:
        """Its exit code says whether the run succeeded; standard output is the command's alone."""
        asked = "Asked for a run of example/job 1 (job 1)."
        for end, code, said in (
            (ENDED, 0, SUCCEEDED),
            (
                ("end", run(9, status="failed", return_code=3)),
                1,
                f"run {RUN_9}: failed (exit 3, took 2.4 s, on worker-1)",
            ),
        ):
            self.web.on(f"{STREAM}0", events(RUNNING, wrote(0, "one\n"), end))
            self.assertSays(["run", "1", "--follow"], code, ["one"], [asked, IS_RUNNING, said])

    def test_misused(self) -> None:
        """What does not go together is refused before anything runs."""
        for more in (["--json"], ["--timeout", "3"]):
            self.assertEqual(self.call("run", "1", "--follow", *more)[0], 2)
        self.assertEqual(self.web.requests, [])
