"""Logging in, changing who may come in, and logging out, in a real browser."""

from sqlalchemy import Connection

from cronq.database.users import add_user
from cronq.domain.access import SHELL, Role
from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, Browser
from tests.integration.browsing import BrowsingCase
from tests.integration.test_web_chromium import BROKEN, CONTRAST
from tests.web.people import PASSWORD, digest

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
HEIGHT = "return document.querySelector('.top').getBoundingClientRect().height"
#: What the page says while the server is away, at its longest.
NOT_LIVE = """
const mark = document.getElementById("live");
mark.classList.add("off");
mark.lastElementChild.textContent = "Not live: the database does not answer; trying again";
"""


class AccessTests(BrowsingCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(self.seed)

    def seed(self, connection: Connection) -> None:
        add_user(connection, SHELL, "anna", Role.ADMIN, None, digest())
        add_user(connection, SHELL, "vera", Role.VIEWER, None, digest())

    def log_in(self, browser: Browser, name: str = "anna", password: str = PASSWORD) -> None:
        browser.type("input[name=name]", name)
        browser.type("input[name=password]", password)
        browser.click("form.stack button")

    async def test_in_and_out(self) -> None:
        """With and without scripts: asked for a login, refused, let in to where one wanted to go, and out."""

        def visit(browser: Browser) -> None:
            for script in (True, False):
                browser.look(PHONE, script=script)
                browser.open("/job/4?older=r9")
                self.log_in(browser, password="wrong wrong")
                self.assertIn("The name or the password is wrong.", browser.text("[role=alert]"))
                browser.driver.find_element("css selector", "input[name=name]").clear()
                self.log_in(browser)
                self.assertTrue(browser.driver.current_url.endswith("/job/4?older=r9"))
                browser.click(".who button")
                self.assertTrue(browser.driver.current_url.endswith("/login"))
                browser.open("/")
                self.assertIn("Log in", browser.text("h1"))
                browser.driver.back()
                self.assertNotIn("anna", browser.text())

        await self.browse(visit)

    async def test_people(self) -> None:
        """An admin adds a user, makes a token and revokes it; the new user sees no more than they may."""

        def visit(browser: Browser) -> None:
            browser.look(script=False)
            browser.open("/access")
            self.log_in(browser)
            browser.driver.find_elements("css selector", "summary")[-2].click()
            browser.type(".add input[name=name]", "otto")
            browser.type(".add input[name=password]", "otto has a password")
            browser.click(".add button.primary")
            self.assertIn("otto", browser.texts(".people .name"))
            browser.driver.find_elements("css selector", "summary")[-1].click()
            browser.driver.find_elements("css selector", ".add input[name=name]")[-1].send_keys("deploy")
            browser.click("form[action='/access/tokens'] button")
            self.assertRegex(browser.text(".secret"), "^cq_[0-9a-f]{48}$")
            browser.click(".tokens .danger")
            self.assertIn("No tokens.", browser.text())
            browser.click("form[action='/logout-everywhere'] button")
            self.log_in(browser, "otto", "otto has a password")
            self.assertEqual(browser.texts(".danger"), [])
            browser.follow("Access")
            self.assertIn("You are otto, viewer of all categories.", browser.text())

        await self.browse(visit)

    async def test_every_screen(self) -> None:
        """On a phone and on a desk, light and dark, with everything unfolded, it fits and can be read."""

        def visit(browser: Browser) -> None:
            for width in (DESKTOP, PHONE):
                for scheme in (LIGHT, DARK):
                    browser.look(width, scheme)
                    browser.driver.delete_all_cookies()
                    browser.open("/login")
                    self.assertEqual(browser.ask(CONTRAST), [], scheme)
                    self.log_in(browser)
                    for path in ("/access", "/changes", "/changes?action=user.added", "/"):
                        browser.open(path)
                        browser.ask(OPEN_ALL)
                        self.assertLessEqual(browser.ask("return document.body.scrollWidth"), width, path)
                        self.assertEqual(browser.ask(CONTRAST), [], (path, scheme))
            self.assertEqual(browser.complaints(), [])

        await self.browse(visit)

    async def test_header(self) -> None:
        """At every width, logged in or not, the header fits, stays as high as it was, and breaks no word."""

        def visit(browser: Browser) -> None:
            browser.open("/login")
            self.look_at_header(browser, "/login")
            self.log_in(browser)
            self.look_at_header(browser, "/runners")
            browser.wait_until(lambda: browser.text("#live") == "Live")
            self.look_at_header(browser, "/runners", live=True)

        await self.browse(visit)

    def look_at_header(self, browser: Browser, path: str, *, live: bool = False) -> None:
        for width in (PHONE, 830, 1000, DESKTOP, 1920):
            browser.look(width)
            browser.open(path)
            if live:
                browser.wait_until(lambda: browser.text("#live") == "Live")
            self.assertLessEqual(browser.ask("return document.documentElement.scrollWidth"), width)
            self.assertEqual(browser.ask(BROKEN), [], width)
            if live:
                height = browser.ask(HEIGHT)
                browser.ask(NOT_LIVE)
                self.assertEqual(browser.ask(BROKEN), [], width)
                self.assertEqual(browser.ask(HEIGHT), height, width)
                self.assertLessEqual(browser.ask("return document.documentElement.scrollWidth"), width)

    async def test_cookie(self) -> None:
        """No script of a page sees the cookie."""

        def visit(browser: Browser) -> None:
            browser.open("/login")
            self.log_in(browser)
            (cookie,) = browser.driver.get_cookies()
            self.assertEqual((cookie["name"], cookie["httpOnly"], cookie["sameSite"]), ("cronq", True, "Lax"))
            self.assertEqual(browser.ask("return document.cookie"), "")

        await self.browse(visit)
