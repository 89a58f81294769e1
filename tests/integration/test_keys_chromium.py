"""Keys, in a real browser."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cronq.database.users import add_user
from cronq.domain.access import SHELL, Role
from tests.integration.browser import Browser
from tests.integration.browsing import BrowsingCase
from tests.web.people import PASSWORD, digest

FOCUSED = "return document.activeElement.textContent.trim()"


class KeysTests(BrowsingCase):
    def press(self, browser: Browser, *keys: str) -> None:
        for key in keys:
            browser.driver.switch_to.active_element.send_keys(key)

    async def test_rows(self) -> None:
        """One goes from row to row and opens one; in a field the keys are letters."""

        def visit(browser: Browser) -> None:
            browser.open("/")
            names = browser.texts(".jobs .name a")
            self.press(browser, "j")
            self.assertEqual(browser.ask(FOCUSED), names[0])
            self.press(browser, "j", "j", "k")
            self.assertEqual(browser.ask(FOCUSED), names[1])
            self.press(browser, "/", "j", "r", "?")
            self.assertEqual(browser.ask("return document.activeElement.value"), "jr?")
            browser.ask("document.activeElement.blur()")
            self.press(browser, "j", Keys.ENTER)
            browser.wait_until(lambda: browser.text("h1") == names[0])
            self.press(browser, "g", "f")
            browser.wait_until(lambda: browser.text("h1") == "Failures")
            self.press(browser, "/")
            browser.wait_until(lambda: browser.ask("return document.activeElement.type") == "search")
            self.assertEqual(browser.complaints(), [])

        await self.browse(visit)

    async def test_run(self) -> None:
        """The job of a row is run, but only after a question that can be answered with no."""

        def visit(browser: Browser) -> None:
            browser.open("/")
            self.press(browser, "j", "r")
            name = browser.texts(".jobs .name a")[0]
            browser.wait_until(lambda: browser.text("#run-by-key h2") == f"Run {name}?")
            self.press(browser, Keys.ESCAPE)
            self.assertFalse(browser.ask("return document.getElementById('run-by-key').open"))
            self.press(browser, "r")
            browser.wait_until(lambda: browser.text("#run-by-key h2") == f"Run {name}?")
            browser.click("#run-by-key [name=run_now]")
            browser.wait_until(lambda: browser.text("h1") == name)
            self.assertIn("queued", browser.text("main"))
            self.press(browser, "r")
            browser.wait_until(lambda: browser.text("#run-by-key h2") == f"Run {name}?")

        await self.browse(visit)

    async def test_may_not(self) -> None:
        """Whoever may not run a job is told so, and sees no button."""
        self.write(lambda connection: add_user(connection, SHELL, "vera", Role.VIEWER, None, digest()))

        def visit(browser: Browser) -> None:
            browser.open("/login")
            browser.type("input[name=name]", "vera")
            browser.type("input[name=password]", PASSWORD)
            browser.click("form.stack button")
            browser.open("/job/1")
            self.press(browser, "r")
            browser.wait_until(lambda: browser.text("#run-by-key h2") == "You may not run this job.")
            self.assertEqual(browser.texts("#run-by-key button"), ["Cancel"])

        await self.browse(visit)

    async def test_help(self) -> None:
        """The help says which keys there are, and turns them off for good; it is found without them, too."""

        def visit(browser: Browser) -> None:
            browser.open("/runners")
            self.press(browser, "?")
            self.assertIn("this help", browser.text("#keys"))
            self.press(browser, "j")
            self.assertTrue(browser.ask("return document.getElementById('keys').open"))
            browser.unfold("#keys [type=checkbox]")
            self.press(browser, Keys.ESCAPE)
            browser.open("/")
            self.press(browser, "j", "?")
            self.assertEqual(browser.ask("return document.activeElement.tagName"), "BODY")
            browser.unfold("#show-keys")
            browser.unfold("#keys [type=checkbox]")
            browser.driver.find_element(By.CSS_SELECTOR, "#keys button").click()
            self.press(browser, "?")
            self.assertTrue(browser.ask("return document.getElementById('keys').open"))

        await self.browse(visit)

    async def test_without_scripts(self) -> None:
        """Without scripts nothing speaks of keys, nor of being live."""

        def visit(browser: Browser) -> None:
            browser.look(script=False)
            browser.open("/")
            for words in ("Keys", "Live", "Cancel"):
                self.assertNotIn(words, browser.text())

        await self.browse(visit)
