"""`cronq pause`, `resume`, `skip` and `backfill`: what is asked of the server, and what is said of it."""

import json
from typing import Any

from tests.commands.cli.case import CliTestCase, answer, job, refusal


class SlotTests(CliTestCase):
    """A web with one job."""

    def setUp(self) -> None:
        super().setUp()
        self.web.has_jobs(job(1))

    def assert_asks(self, arguments: list[str], deed: str, said: dict[str, Any]) -> None:
        """The command asks just that, says who asks, and tells what the server answers."""
        self.web.on(f"POST api/jobs/1/{deed}", answer({"success": {"message": "So be it."}}))
        self.assertSays(arguments, 0, ["So be it."], [])
        asked = {"by": "ada@example"} | said
        self.assertEqual(json.loads(self.web.requests[-1].body or b""), asked)

    def test_pause(self) -> None:
        """Without options it lasts; with them it has an end and a reason."""
        self.assert_asks(["pause", "1"], "pause", {})
        said = {"until": "PT2H", "reason": "we move"}
        self.assert_asks(["pause", "1", "--until", "PT2H", "--reason", "we move"], "pause", said)

    def test_resume_and_skip(self) -> None:
        """They need nothing but the job."""
        self.assert_asks(["resume", "1"], "resume", {})
        self.assert_asks(["skip", "1"], "skip-next", {})
        self.assert_asks(["skip", "1", "--undo"], "unskip-next", {})

    def test_backfill(self) -> None:
        """The slots of a time, in an order, and so many at once."""
        said = {"from": "P7D", "order": "oldest", "at_once": 1}
        self.assert_asks(["backfill", "1", "--from", "P7D"], "backfill", said)
        said = {"from": "P7D", "to": "P1D", "order": "newest", "at_once": 4}
        options = ["--from", "P7D", "--to", "P1D", "--newest-first", "--at-once", "4"]
        self.assert_asks(["backfill", "1", *options], "backfill", said)

    def test_json(self) -> None:
        """For programs there is the id of the job, too."""
        self.web.on("POST api/jobs/1/resume", answer({"success": {"message": "Job 1 goes on."}}))
        self.assertSays(["resume", "1", "--json"], 0, ['{"job_id": 1, "message": "Job 1 goes on."}'], [])

    def test_misused(self) -> None:
        """What the server cannot understand is wrong usage, and the message is the server's."""
        fault = {"place": "at_once", "message": "expected a whole number from 1 to 100, found 0"}
        message = f"at_once: {fault['message']}"
        self.web.on("POST api/jobs/1/backfill", refusal(400, message, faults=[fault]))
        hint = "Nothing was done. With --help, the command says what can be asked for."
        said = [f"cronq: {message}", hint]
        self.assertSays(["backfill", "1", "--from", "P1D", "--at-once", "0"], 2, [], said)

    def test_refused(self) -> None:
        """What the server refuses is said, with an exit code of its own."""
        self.web.on("POST api/jobs/1/resume", refusal(409, "Its document keeps job 1 from running."))
        hint = "`cronq show JOB` says how things are."
        self.assertSays(["resume", "1"], 5, [], ["cronq: Its document keeps job 1 from running.", hint])
