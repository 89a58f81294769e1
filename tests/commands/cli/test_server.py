"""What a person sees when the server says no, or says what cannot be understood; and `cronq status`."""

import json

from cronq import __version__
from cronq.commands.cli.connection import HttpAnswer
from cronq.commands.cli.exits import Unreachable
from tests.commands.cli.case import URL, CliTestCase, answer, job, refusal

LOGIN = (
    "Put a token into CRONQ_TOKEN (`cronq tokens add NAME` or the page Access makes one), or name a user in "
    "the address, as in --url https://user:password@host/."
)
LATER = "Try again soon; the log of the web says more."
CHECK_URL = "Check --url or CRONQ_URL: is that a cronq?"


class StatusTests(CliTestCase):
    """`cronq status`."""

    def test_up(self) -> None:
        """When all is well it says so."""
        self.web.on("GET _status", answer({"status": "OK"}))
        self.assertSays(["status"], 0, [f"{URL} is up, and so is its database."], [])
        _, out, _ = self.call("status", "--json")
        self.assertEqual([json.loads(line) for line in out], [{"url": URL, "status": "OK"}])

    def test_no_database(self) -> None:
        """A web without its database ends with 6, in the words of the web."""
        self.web.on("GET _status", refusal(503, "The database does not answer."))
        self.assertSays(["status"], 6, [], ["cronq: The database does not answer.", LATER])
        self.assertSays(["status", "--json"], 6, [], ["cronq: The database does not answer.", LATER])

    def test_down(self) -> None:
        """A server that is not there ends with 6."""
        self.web.on("GET _status", Unreachable("cannot reach it", "Start one."))
        self.assertSays(["status"], 6, [], ["cronq: cannot reach it", "Start one."])


class RefusalTests(CliTestCase):
    """Answers that are no success."""

    def assertTold(self, found: HttpAnswer, code: int, *err: str) -> None:
        self.web.on("GET api/jobs/1", found)
        self.assertSays(["show", "1"], code, [], list(err))

    def test_refusals(self) -> None:
        """The server's message in one line, what to do in another, and an exit code for each kind."""
        for status, code, hint in (
            (400, 1, "The log of the web may say more."),
            (401, 4, LOGIN),
            (403, 4, "Ask an admin of this cronq for a role, or a token, that may do it."),
            (404, 3, "`cronq jobs` lists what there is."),
            (409, 5, "`cronq show JOB` says how things are."),
            (500, 1, "The log of the web may say more."),
            (503, 6, LATER),
        ):
            self.assertTold(refusal(status, "So it is."), code, "cronq: So it is.", hint)

    def test_of_a_proxy(self) -> None:
        """What a proxy says instead has no message of cronq."""
        page = "<html>Bad Gateway</html>"
        self.assertTold(answer(page, 502), 6, f"cronq: {URL} answers 502 Bad Gateway", LATER)
        self.assertTold(answer(page, 401), 4, f"cronq: {URL} answers 401 Unauthorized", LOGIN)
        self.assertTold(answer(page, 599), 1, f"cronq: {URL} answers 599", "The log of the web may say more.")

    def test_something_else(self) -> None:
        """Another web server is told from a cronq that has no such job."""
        for found, what in (
            (answer("nothing here", 404), "answers 404 Not Found"),
            (answer("<html>"), "answers with no JSON (text/plain)"),
            (answer("[1]"), "answers with no JSON (text/plain)"),
            (answer("[" * 100_000), "answers with no JSON (text/plain)"),
            (HttpAnswer(200, {}, b"\xff"), "answers with no JSON (no type)"),
        ):
            self.assertTold(found, 1, f"cronq: {URL} {what}, which is not what cronq says", CHECK_URL)

    def test_wrong_shapes(self) -> None:
        """JSON of some other kind is no traceback."""
        wrong: tuple[object, ...] = (
            {},
            {"data": []},
            {"data": {"job": None}},
            {"data": {"job": job(1, id="1")}},
            {"data": {"job": job(1, name=None)}},
            {"data": {"job": job(1, next_run=5)}},
            {"data": {"job": job(1, next_run="tomorrow")}},
            {"data": {"job": job(1, interval=1e300)}},
            {"data": {"job": job(1, category="example")}},
            {"data": {"job": job(1, runs=[{}])}},
        )
        for data in wrong:
            message = f"cronq: {URL} answers in another way than its API, which is not what cronq says"
            self.assertTold(answer(data), 1, message, CHECK_URL)

    def test_redirect(self) -> None:
        """A redirect is not followed but told, since the password would go with it."""
        found = answer("", 301, location="https://cron.example.com/\x1b[2J")
        message = f"cronq: {URL} sends on to https://cron.example.com/" + r"\x1b[2J"
        self.assertTold(found, 1, message, "Name that address with --url.")

    def test_hostile(self) -> None:
        """A message cannot write on the terminal."""
        hint = "`cronq jobs` lists what there is."
        self.assertTold(refusal(404, "\x1b[2Ja\nb"), 3, r"cronq: \x1b[2Ja\nb", hint)


class AddressTests(CliTestCase):
    """Where the server is."""

    def asked_with(self, *arguments: str) -> tuple[str, str | None]:
        """The address that was asked, and the header with the password."""
        self.call(*arguments)
        request = self.web.requests[-1]
        self.assertEqual(request.headers["User-Agent"], f"cronq/{__version__}")
        return request.url, request.headers.get("Authorization")

    def test_default(self) -> None:
        """Without anything it is the default of cronq-web."""
        self.assertEqual(self.asked_with("status"), ("http://127.0.0.1:5000/_status", None))

    def test_chosen(self) -> None:
        """The environment says it, or an option in either place, which counts more."""
        self.environment["CRONQ_URL"] = "http://a:1/cronq"
        self.assertEqual(self.asked_with("status")[0], "http://a:1/cronq/_status")
        self.assertEqual(self.asked_with("--url", "https://b/", "status")[0], "https://b/_status")
        self.assertEqual(self.asked_with("status", "--url", "http://[::1]:7")[0], "http://[::1]:7/_status")
        self.assertEqual(
            self.asked_with("--url", "http://b", "status", "--url", "http://c")[0], "http://c/_status"
        )

    def test_password(self) -> None:
        """User and password go into a header (RFC 7617) and are never repeated."""
        self.web.on("GET http://a/_status", answer({"status": "OK"}))
        url, header = self.asked_with("status", "--url", "http://Aladdin:open%20sesame@a/")
        self.assertEqual((url, header), ("http://a/_status", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
        _, out, _ = self.call("status", "--url", "http://u:secret@a/")
        self.assertEqual(out, ["http://a/ is up, and so is its database."])

    def test_wrong(self) -> None:
        """An address that is none is refused, without repeating a password."""
        expected = "the value cannot be used: expected an address such as http://127.0.0.1:5000/"
        for url in (
            "localhost:5000",
            "ftp://a/",
            "http://",
            "http://a:x/",
            "http://a b/",
            "http://a/?b",
            "http://ö/",
        ):
            line = f"cronq: --url: {expected}, found {url!r}"
            self.assertSays(["status", "--url", url], 2, [], [line])
        self.environment["CRONQ_URL"] = "htp://user:secret@a/"
        self.assertSays(["jobs"], 2, [], [f"cronq: CRONQ_URL: {expected}"])
        self.assertEqual(self.web.requests, [])
