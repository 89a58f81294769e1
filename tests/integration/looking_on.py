"""Looking on in a real browser while a real command writes, wherever cronq runs."""

from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, Browser, chromium
from tests.integration.installation import DaemonCase, job
from tests.integration.test_web_chromium import CONTRAST

#: Waits until there is a file of that name.
WAIT = 'while [ ! -e "$EVIDENCE/{}" ]; do sleep 0.05; done'
COLOURS = "printf '\\033[1mbegun\\033[0m \\033[32mgreen\\033[0m\\n'"
TALKS = "; ".join(
    (COLOURS, WAIT.format("go"), "echo second", "echo trouble >&2", WAIT.format("on"), "echo third; exit 3")
)
SHOWN = "document.querySelector('#output').textContent"


class LiveOutput(DaemonCase):
    """What people do who look on; `begin` says where."""

    def browser(self) -> AbstractContextManager[Browser]:
        return chromium(self.web_url, str(self.folder / "profile"))

    def begin(self, *jobs: dict[str, str]) -> None:
        """Start the daemons, and put these jobs in place."""
        raise NotImplementedError

    def start_run(self, name: str) -> str:
        """The id of a new run."""
        answer = self.ask(f"/api/jobs/{self.job(name)['id']}/run", {"by": "ada", "reason": "to look on"})
        return str(answer.json["success"]["run_id"])

    def let(self, name: str) -> None:
        """Let the command go on."""
        (self.evidence / name).touch()

    def see(self, browser: Browser, text: str) -> None:
        """Wait until the output on the page ends with this."""
        browser.wait_until(lambda: browser.ask(f"return {SHOWN}").endswith(text))

    def test_grows(self) -> None:
        """Output is seen as it comes, in colours, also by who comes later, and after the end."""
        self.begin(job("Talks", TALKS))
        run_id = self.start_run("Talks")
        with self.browser() as browser:
            browser.look(DESKTOP, LIGHT)
            browser.open(f"/run/{run_id}")
            self.see(browser, "begun green\n")
            self.assertEqual(browser.texts("#output .bold"), ["begun"])
            self.assertEqual(browser.texts("#output .c2"), ["green"])
            self.let("go")
            self.see(browser, "second\ntrouble\n")
            self.assertEqual(browser.texts("#output .err"), ["trouble"])
            browser.look(PHONE, DARK)
            browser.open(f"/run/{run_id}")
            self.see(browser, "begun green\nsecond\ntrouble\n")
            self.assertEqual(browser.ask(CONTRAST), [])
            self.assertLessEqual(browser.ask("return document.body.scrollWidth"), PHONE)
            self.let("on")
            browser.wait_until(lambda: browser.texts("#written.over"))
            self.see(browser, "trouble\nthird\n")
            browser.open(f"/run/{run_id}")
            self.assertIn("It failed: exit 3.", browser.text("main"))
            self.see(browser, "begun green\nsecond\ntrouble\nthird\n")
            self.assertEqual(browser.complaints(), [])
        text = self.ask(f"/run/{run_id}/output.txt").text
        self.assertEqual(text, "\033[1mbegun\033[0m \033[32mgreen\033[0m\nsecond\ntrouble\nthird\n")

    def test_kill_and_download(self) -> None:
        """Who sees that it goes wrong kills it, downloads what it has written, and runs it again."""
        self.begin(job("Endless", "echo off we go; exec sleep 1000"))
        run_id = self.start_run("Endless")
        with self.browser() as browser:
            downloads = self.folder / "downloads"
            behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
            browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
            browser.look(DESKTOP)
            browser.open(f"/run/{run_id}")
            self.see(browser, "off we go\n")
            browser.type(".asking input[name=reason]", "it never ends")
            browser.click(".asking button")
            self.until(lambda: self.statuses() == ["killed"])
            # The kill may be done before the page comes back from it; then there is nothing to follow.
            browser.wait_until(lambda: browser.texts("#written.over, #written:not([data-stream])"))
            self.see(browser, "off we go\n")
            browser.unfold("a[download]")
            path = downloads / f"{run_id}.txt"
            self.until(path.exists)
            self.assertEqual(path.read_text(), "off we go\n")
            browser.open(f"/run/{run_id}")
            self.assertIn("It was stopped. Killed by hand: it never ends.", browser.text("main"))
            browser.unfold(".again summary")
            browser.type(".again input[name=reason]", "once more")
            browser.click(".again button")
            again = urlsplit(browser.driver.current_url).path.removeprefix("/run/")
            self.assertNotEqual(again, run_id)
            self.see(browser, "off we go\n")
        self.assertEqual(self.ask(f"/api/runs/{again}/kill", {}).status, 200)
        self.until(lambda: self.statuses() == ["killed"] * 2)

    def test_follow_and_search(self) -> None:
        """One follows the end, scrolls up to read in peace, and finds a word."""
        self.begin(job("Counts", f"seq 1 300; {WAIT.format('go')}; seq 301 600; {WAIT.format('on')}"))
        run_id = self.start_run("Counts")
        left = "const pane = document.querySelector('#output'); "
        left += "return pane.scrollHeight - pane.scrollTop - pane.clientHeight"
        with self.browser() as browser:
            browser.look(DESKTOP)
            browser.open(f"/run/{run_id}")
            self.see(browser, "300\n")
            self.assertLess(browser.ask(left), 24)
            browser.type("#written [type=search]", "27")
            browser.wait_until(lambda: browser.text(".hits") == "1 of 13")
            self.assertFalse(browser.ask("return document.querySelector('[name=follow]').checked"))
            self.let("go")
            self.see(browser, "600\n")
            self.assertGreater(browser.ask(left), 1000)
            browser.wait_until(lambda: browser.text(".hits") == "1 of 16")
            browser.unfold(".previous")
            self.assertEqual(browser.text(".hits"), "16 of 16")
            browser.unfold("[name=follow]")
            self.assertLess(browser.ask(left), 24)
            self.let("on")
            self.until(lambda: self.statuses() == ["succeeded"])

    def test_without_scripts(self) -> None:
        """Without scripts one looks on by plain text, and sees all of it when the run is over."""
        self.begin(job("Talks", TALKS))
        run_id = self.start_run("Talks")
        with self.browser() as browser:
            browser.look(PHONE, script=False)
            browser.open(f"/run/{run_id}")
            self.assertIn("as plain text it comes live.", browser.text("#written"))
            self.let("go")
            self.let("on")
            browser.open(f"/run/{run_id}/output.txt?follow=1")
            browser.wait_until(lambda: "[The run is over: failed.]" in browser.text())
            self.assertIn("third", browser.text())
            browser.open(f"/run/{run_id}")
            self.assertEqual(browser.texts("#output .err"), ["trouble"])

    def test_nobody_looks(self) -> None:
        """A run at which nobody looks leaves nothing but what is kept of it."""
        self.begin(job("Talks", f"seq 1 1000; {WAIT.format('go')}"))
        run_id = self.start_run("Talks")
        self.until(lambda: self.statuses() == ["running"])
        self.let("go")
        self.until_all(1)
        self.assertEqual(self.sql("SELECT * FROM viewings"), [])
        self.assertEqual(self.sql("SELECT * FROM excerpts"), [])
        output = self.ask(f"/api/runs/{run_id}/output").json["data"]["output"]
        self.assertEqual((output["size"], output["left_out"]), (3893, 0))
