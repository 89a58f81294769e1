"""What a person does with cronq from login to logout, in a real browser and with real daemons."""

import json

from tests.integration import test_all_in_one
from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, chromium
from tests.integration.command_line import CommandLineCase
from tests.integration.installation import job
from tests.integration.looking_on import WAIT
from tests.integration.test_web_chromium import BROKEN, CONTRAST

PASSWORD = "correct horse battery"
IMPORT = f"echo one; {WAIT.format('go')}; echo two >&2; {WAIT.format('never')}; echo three"
DOCUMENT = {
    "category": "shop",
    "jobs": [
        job("Import the orders", IMPORT, description="Takes the orders of the day from the shop."),
        job("Sweep", "true", "R/2020-01-01T00:00:00Z/P1D"),
        job("Send <invoices>", "true"),
    ],
}
RUNS = "return [...document.querySelectorAll('#found .state a')].map(each => each.pathname)"


class JourneyTests(CommandLineCase):
    """All in one process, with one user."""

    timeout = 120
    sql = test_all_in_one.AllInOneTests.sql

    def setUp(self) -> None:
        super().setUp()
        self.use_web(self.start("cronq"))
        self.until(lambda: self.status() == "OK")
        self.cli("users", "add", "anna", stdin=PASSWORD)

    def test_phone_dark(self) -> None:
        self.travel(PHONE, DARK, script=True)

    def test_desktop_light(self) -> None:
        self.travel(DESKTOP, LIGHT, script=True)

    def test_desktop_dark_without_scripts(self) -> None:
        self.travel(DESKTOP, DARK, script=False)

    def test_phone_light_without_scripts(self) -> None:
        self.travel(PHONE, LIGHT, script=False)

    def travel(self, width: int, scheme: str, *, script: bool) -> None:
        """The whole of it, on a screen like that; every page on the way fits, and can be read."""
        self.width, self.script = width, script
        with chromium(self.web_url, str(self.folder / "profile")) as self.browser:
            self.browser.look(width, scheme, script=script)
            for step in (self.log_in, self.put_in, self.filter, self.run_now, self.watch, self.kill):
                step()
                self.assert_fits()
            self.page_through()
            self.log_out()
            self.assertEqual(self.browser.complaints(), [])

    def assert_fits(self) -> None:
        where = self.browser.driver.current_url
        self.assertLessEqual(self.browser.ask("return document.body.scrollWidth"), self.width, where)
        self.assertEqual(self.browser.ask(CONTRAST), [], where)
        self.assertEqual(self.browser.ask(BROKEN), [], where)

    def see(self, selector: str, text: str) -> None:
        """Wait until the text is there: it comes by itself, or whoever has no scripts reloads."""

        def is_there() -> bool:
            if any(text in each for each in self.browser.texts(selector)):
                return True
            if not self.script:
                self.browser.driver.refresh()
            return False

        self.browser.wait_until(is_there)

    def log_in(self) -> None:
        browser = self.browser
        browser.open("/")
        browser.type("input[name=name]", "anna")
        browser.type("input[name=password]", PASSWORD)
        self.assert_fits()
        browser.click("form.stack button")
        self.assertIn("No jobs yet", browser.text("main"))

    def put_in(self) -> None:
        """A category is new: its document is looked at, and then put in place."""
        browser = self.browser
        browser.follow("Categories")
        self.assertIn("There are no categories yet.", browser.text("main"))
        browser.type(".draft textarea", json.dumps(DOCUMENT))
        browser.click(".draft button")
        self.assertIn("A new category: 3 added, 0 changed, 0 removed, 0 unchanged.", browser.text(".lead"))
        self.assertIn("Takes the orders of the day", browser.text(".deltas"))
        self.assert_fits()
        browser.click(".deeds button")
        self.assertIn("Last changed now by anna", browser.text(".head"))
        self.assert_fits()
        browser.follow("3 jobs")
        names = ["Import the orders", "Send <invoices>", "Sweep"]
        self.assertEqual(browser.texts(".jobs .name > a"), names)

    def filter(self) -> None:
        browser = self.browser
        browser.type("input[name=q]", "ORDERS")
        browser.click(".filter button")
        self.assertEqual(browser.texts(".jobs .name > a"), ["Import the orders"])
        self.assertIn("q=ORDERS", browser.driver.current_url)

    def run_now(self) -> None:
        browser = self.browser
        browser.follow("Import the orders")
        browser.click("button[name=run_now]")
        self.assertIn("by hand, anna", browser.text(".runs tbody"))
        self.see(".runs tbody", "running")

    def watch(self) -> None:
        """The first line is seen long before the command has ended, and so is the second."""
        browser = self.browser
        browser.click(".runs .state a")
        self.see("#run-state", "running")
        if not self.script:
            browser.follow("Show what there is now")
        self.see("#output", "one")
        self.assertNotIn("two", browser.text("#output"))
        (self.evidence / "go").touch()
        self.see("#output", "one\ntwo")
        self.assertIn("running", browser.text("#run-state"))

    def kill(self) -> None:
        browser = self.browser
        browser.type(".asking input[name=reason]", "it takes the wrong day")
        browser.click(".asking button")
        self.see("#run-story", "It was stopped. Killed by anna: it takes the wrong day.")
        self.see("#output", "one\ntwo")
        self.assertNotIn("three", browser.text("#output"))

    def page_through(self) -> None:
        """Slots of the past are run, and there are more of them than a page holds."""
        browser = self.browser
        browser.follow("Jobs")
        browser.follow("Sweep")
        browser.driver.find_elements("css selector", "#schedule summary")[-1].click()
        browser.type("input[name=from]", "P30D")
        browser.driver.find_element("css selector", "input[name=at_once]").clear()
        browser.type("input[name=at_once]", "30")
        self.assert_fits()
        browser.click("form[action$='/backfill'] button")
        self.until_all(30, name="Sweep")
        browser.driver.refresh()
        latest = self.runs_shown()
        browser.follow("Older runs →")
        older = self.runs_shown()
        self.assertEqual((len(latest), len(older), len({*latest, *older})), (25, 5, 30))
        self.assert_fits()
        browser.follow("← Newer runs")
        self.assertEqual(self.runs_shown(), latest)

    def runs_shown(self) -> list[str]:
        """The runs on this page of a job's runs."""
        return [str(each) for each in self.browser.ask(RUNS)]

    def log_out(self) -> None:
        browser = self.browser
        browser.click(".who button")
        self.assertIn("Log in", browser.text("h1"))
        browser.driver.back()
        self.assertNotIn("anna", browser.text())
