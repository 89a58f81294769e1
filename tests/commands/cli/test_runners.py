"""What a person sees of `cronq runners`."""

import json
from typing import Any

from tests.commands.cli.case import CliTestCase, answer, refusal, runner

LIST = "GET api/runners?per_page=100&page=0"
DRAIN = "POST api/runners/worker-1-0b5f3d1c9a2e/drain"
NAME = "worker-1-0b5f3d1c9a2e"
HINT = "`cronq runners --all` lists what there is."


class RunnersCase(CliTestCase):
    def has(self, *runners: dict[str, Any]) -> None:
        self.web.on(LIST, answer({"data": {"runners": runners}}))


class ListTests(RunnersCase):
    """The list."""

    def test_table(self) -> None:
        """Each runner is a line with its state in words, and how busy it is; who has stopped is left out."""
        self.has(
            runner("w-1", host="w"),
            runner("w-2", host="w", status="draining", busy=3, routing_keys=["a", "b"], clock_ahead=-75.0),
            runner("w-3", host="w", status="silent", last_heard="2026-11-23T07:00:00", queue="slow"),
            runner("w-4", host="w", status="stopped"),
        )
        expected = [
            "ID   STATUS    IN USE  LAST HEARD  QUEUE       ROUTING KEYS  HOST  CLOCK            VERSION",
            "w-1  up        0 of 4  5 s ago     cronq_jobs  default       w     in step          1.0.0",
            "w-2  draining  3 of 4  5 s ago     cronq_jobs  a, b          w     1 minute behind  1.0.0",
            "w-3  silent    0 of 4  5 min ago   slow        default       w     in step          1.0.0",
        ]
        self.assertSays(["runners"], 0, expected, [])
        code, out, err = self.call("runners", "--all")
        self.assertEqual((code, out[:4], len(out), err), (0, expected, 5, []))
        self.assertIn("stopped", out[4])

    def test_terminal_of_80_columns(self) -> None:
        """What matters most fits."""
        self.width = 80
        self.environment["NO_COLOR"] = "1"
        self.has(runner())
        _, out, _ = self.call("runners")
        self.assertEqual(
            out[0], "ID                     STATUS  IN USE  LAST HEARD  QUEUE       ROUTING KEYS"
        )

    def test_colours(self) -> None:
        """On a terminal the states have colours as well."""
        self.width = 200
        self.has(runner(), runner("b", status="draining"), runner("c", status="silent"))
        _, out, _ = self.call("runners")
        for line, word, colour in zip(out[1:], ("up", "draining", "silent"), (32, 36, 31), strict=True):
            self.assertIn(f"\x1b[{colour}m{word:<8}\x1b[0m", line)

    def test_none(self) -> None:
        """Without runners it says how to start one, or that all have stopped."""
        self.has()
        said = ["There are no runners. `twistd -n cronq-runner` starts one."]
        self.assertSays(["runners"], 0, [], said)
        self.assertSays(["runners", "--json"], 0, [], said)
        self.has(runner(status="stopped"))
        said = ["No runner is up; `cronq runners --all` lists 1 that have stopped."]
        self.assertSays(["runners"], 0, [], said)

    def test_json(self) -> None:
        """A runner is one line with the object that the API gives."""
        self.has(runner(), runner("\x1b[2J"))
        code, out, err = self.call("runners", "--json")
        self.assertEqual(
            (code, [json.loads(line) for line in out], err), (0, [runner(), runner("\x1b[2J")], [])
        )

    def test_pages(self) -> None:
        """All pages are asked for, and a runner that has moved from one to the next is listed once."""
        first = [runner(f"{number:03}") for number in range(100)]
        second = [runner("099"), runner("100")]
        for page, runners in enumerate((first, second)):
            self.web.on(f"{LIST[:-1]}{page}", answer({"data": {"runners": runners}}))
        _, out, _ = self.call("runners", "--json")
        self.assertEqual([json.loads(line)["id"] for line in out], [f"{number:03}" for number in range(101)])

    def test_hostile(self) -> None:
        """What a terminal would obey is escaped, wherever it stands."""
        odd = "\x1b[31mred\nline"
        self.has(runner(odd, host=odd, queue=odd, routing_keys=[odd], version=odd, status=odd))
        _, out, _ = self.call("runners")
        self.assertEqual((len(out), out[1].count(r"\x1b[31mred\nline"), "\x1b" in out[1]), (2, 6, False))

    def test_not_cronq(self) -> None:
        """An answer that is not that of cronq is said to be none."""
        strange: list[Any] = [{"runners": [{}]}, {}, {"runners": [runner(busy="x")]}, {"runners": 5}]
        for data in strange:
            self.web.on(LIST, answer({"data": data}))
            code, out, err = self.call("runners")
            self.assertEqual((code, out, len(err)), (1, [], 2))


class DrainTests(RunnersCase):
    """`cronq runners drain`."""

    def test_drain(self) -> None:
        """It says what the server says."""
        self.web.on(DRAIN, answer({"success": {"message": "Runner w is told to drain."}}))
        self.assertSays(["runners", "drain", NAME], 0, ["Runner w is told to drain."], [])
        code, out, err = self.call("runners", "drain", NAME, "--json")
        said = {"id": NAME, "message": "Runner w is told to drain."}
        self.assertEqual((code, [json.loads(line) for line in out], err), (0, [said], []))
        self.assertEqual(self.web.asked(), [DRAIN, DRAIN])

    def test_any_name(self) -> None:
        """Whatever the id is made of, it is one segment of the address."""
        self.call("runners", "drain", "../a b?c#d%2F")
        self.assertEqual(self.web.asked(), ["POST api/runners/..%2Fa%20b%3Fc%23d%252F/drain"])

    def test_refused(self) -> None:
        """What the server refuses ends with the exit code of the reason, and leads to the list."""
        for code, exit_code in ((404, 3), (409, 5)):
            self.web.on(DRAIN, refusal(code, "Runner w is so and so."))
            said = ["cronq: Runner w is so and so.", HINT]
            self.assertSays(["runners", "drain", NAME], exit_code, [], said)
        self.web.on(DRAIN, refusal(503, "The database does not answer."))
        self.assertEqual(self.call("runners", "drain", NAME)[0], 6)

    def test_misused(self) -> None:
        """Wrong usage asks the server for nothing."""
        for arguments, said in (
            (["runners", "drain"], "Missing argument 'ID'."),
            (["runners", "drain", "a", "b"], "Got unexpected extra argument (b)"),
            (["runners", "stop", "a"], "No such command 'stop'."),
            (["runners", "--json", "drain", "a"], "what is said before drain is for the list; put it behind"),
            (["runners", "--all", "drain", "a"], "what is said before drain is for the list; put it behind"),
        ):
            code, out, err = self.call(*arguments)
            self.assertEqual((code, out, err[0]), (2, [], f"cronq: {said}"), arguments)
        self.assertEqual(self.web.requests, [])

    def test_url(self) -> None:
        """The address may stand anywhere."""
        for arguments in (
            ["--url", "http://h/", "runners", "drain", "a"],
            ["runners", "--url", "http://h/", "drain", "a"],
            ["runners", "drain", "a", "--url", "http://h/"],
        ):
            self.call(*arguments)
        self.assertEqual({each.url for each in self.web.requests}, {"http://h/api/runners/a/drain"})

    def test_help(self) -> None:
        """Both have their help."""
        self.assertIn("Usage: cronq runners [OPTIONS] [drain ID]", self.call("runners", "--help")[1])
        self.assertIn("Usage: cronq runners drain [OPTIONS] ID", self.call("runners", "drain", "-h")[1])
