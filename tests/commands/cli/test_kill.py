"""What a person sees of `cronq kill`."""

import json

from tests.commands.cli.case import CliTestCase, answer, refusal

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
        """Whatever is given for an id is sent in one piece, and not found."""
        path = "POST api/runs/..%2F%0A/kill"
        self.web.on(path, refusal(404, "There is no run."))
        self.assertEqual(self.call("kill", "../\n")[0], 3)
        self.assertEqual(self.web.asked(), [path])
