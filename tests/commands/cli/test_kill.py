"""What a person sees of `cronq kill`."""

import json

from tests.commands.cli.case import CliTestCase, answer, job, refusal, run

RUN_9 = "00000000000000000000000000000009"
POST = f"POST api/runs/{RUN_9}/kill"


class KillTests(CliTestCase):
    def said(self) -> object:
        """What the last request said."""
        return json.loads(self.web.requests[-1].body or b"null")

    def test_kill(self) -> None:
        """The server is told who wants it and why, and its answer is shown."""
        self.web.on(POST, answer({"success": {"message": "Run 9 is being killed."}}))
        self.assertSays(["kill", RUN_9, "--reason", "it hangs"], 0, ["Run 9 is being killed."], [])
        self.assertEqual(self.said(), {"by": "ada@example", "reason": "it hangs"})

    def test_without_reason(self) -> None:
        """Neither a reason nor a name is needed."""
        self.user = None
        self.web.on(POST, answer({"success": {"message": "Run 9 is called off."}}))
        code, out, _ = self.call("kill", RUN_9, "--json")
        self.assertEqual((code, json.loads(out[0])["message"]), (0, "Run 9 is called off."))
        self.assertEqual(self.said(), {})

    def test_too_late(self) -> None:
        """A run that is over cannot be killed."""
        self.web.on(POST, refusal(409, "Run 9 is over already: it is succeeded."))
        code, _, err = self.call("kill", RUN_9)
        self.assertEqual((code, err[0]), (5, "cronq: Run 9 is over already: it is succeeded."))

    def test_unknown(self) -> None:
        """What is no run is said not to be there, and what is no job neither."""
        self.web.on(POST, refusal(404, f"There is no run {RUN_9}; it may have been pruned."))
        code, _, err = self.call("kill", RUN_9)
        self.assertEqual((code, err[0]), (3, f"cronq: There is no run {RUN_9}; it may have been pruned."))
        self.web.has_jobs(category="mine")
        code, _, err = self.call("kill", "mine/slow")
        self.assertEqual((code, err[0]), (3, "cronq: there is no job mine/slow"))

    def test_nothing_named(self) -> None:
        """Without a run, nobody is asked."""
        code, _, err = self.call("kill", "")
        self.assertEqual(code, 2)
        self.assertIn("say which run: its id, or its job as in example/backup", "\n".join(err))
        self.assertEqual(self.web.asked(), [])

    def test_job(self) -> None:
        """Of a job it is the run that is under way, if it is the only one."""
        self.web.has_jobs(job(1), category="example")
        listed = "GET api/runs?job=1&state=queued%2Crunning&per_page=100"
        self.web.on(POST, answer({"success": {"message": "Run 9 is being killed."}}))
        self.web.on(listed, answer({"data": {"runs": [run(9, status="running")], "next": None}}))
        self.assertSays(["kill", "example/job 1"], 0, ["Run 9 is being killed."], [])
        two = [run(9, status="queued"), run(8, status="running")]
        self.web.on(listed, answer({"data": {"runs": two, "next": None}}))
        said = [
            "cronq: several runs of example/job 1 are under way",
            f"Say the id of one: {RUN_9} (queued), {two[1]['id']} (running)",
        ]
        self.assertSays(["kill", "1"], 5, [], said)
        self.web.on(listed, answer({"data": {"runs": [], "next": None}}))
        hint = "`cronq show 1` lists its latest runs."
        self.assertSays(["kill", "1"], 5, [], ["cronq: no run of example/job 1 is under way", hint])
