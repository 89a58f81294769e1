"""Pages that renew themselves under the eyes of those who look at them."""

from typing import Any

from sqlalchemy import Connection, update

from cronq.database.tables import runners
from cronq.domain.errors import DatabaseUnavailable
from cronq.domain.runs import Status
from tests.integration.browser import PHONE, Browser
from tests.integration.browsing import BrowsingCase
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_runner

COUNT = "window.renewals = 0; document.addEventListener('renewed', () => window.renewals++)"
NAMES = "return [...document.querySelectorAll('.runners .name a')].map(each => each.textContent)"
MARK = "document.querySelector('.runners tbody tr:nth-child(2)').mine = true"
MARKED = "return [...document.querySelectorAll('.runners tbody tr')].findIndex(each => each.mine)"
FIELD = "document.getElementById('runners').insertAdjacentHTML('afterbegin', '<input id=\"mine\">')"


class LiveTests(BrowsingCase):
    def change(self, function: Any, *arguments: Any) -> None:
        """Change the database while somebody looks on."""

        def call(connection: Connection) -> None:
            function(connection, *arguments)

        self.meanwhile(self.write, call)

    def hear(self) -> None:
        """All runners are heard of."""
        self.change(lambda connection: connection.execute(update(runners).values(busy=3, last_heard=NOW)))

    def open(self, browser: Browser) -> None:
        """Look at the runners, until the page is live."""
        browser.open("/runners")
        browser.wait_until(lambda: self.mark(browser) == "Live")
        browser.ask(COUNT)

    def mark(self, browser: Browser) -> str:
        return str(browser.ask("return document.getElementById('live').innerText.trim()"))

    def renewed(self, browser: Browser) -> None:
        """Wait until the page was read again, and what of it may be renewed is."""
        seen = browser.ask("return window.renewals")
        self.change(add_runner, f"new {seen}")
        browser.wait_until(lambda: browser.ask("return window.renewals") > seen)

    async def test_renewed(self) -> None:
        """What is new comes by itself; what was there stays, and the focus on it."""

        def visit(browser: Browser) -> None:
            self.open(browser)
            browser.ask(MARK)
            browser.ask("document.querySelectorAll('.runners .name a')[1].focus()")
            focused = browser.ask("return document.activeElement.textContent")
            self.change(add_runner, "a new one")
            browser.wait_until(lambda: "a new one" in browser.ask(NAMES))
            self.assertEqual(browser.ask(MARKED), 2)
            self.assertEqual(browser.ask("return document.activeElement.textContent"), focused)
            self.hear()
            browser.wait_until(lambda: "3 of 4" in browser.ask("return document.body.textContent"))
            self.assertEqual(browser.ask(MARKED), 2)
            self.assertEqual(browser.complaints(), [])

        await self.browse(visit)

    async def test_marked_text(self) -> None:
        """A text that somebody has marked to copy it stays until they are done; then all is renewed."""

        def visit(browser: Browser) -> None:
            self.open(browser)
            browser.ask("getSelection().selectAllChildren(document.querySelector('.runners .name a'))")
            marked = browser.ask("return getSelection().toString()")
            self.renewed(browser)
            self.assertEqual(browser.ask("return getSelection().toString()"), marked)
            self.assertNotIn("new 0", browser.ask(NAMES))
            browser.ask("getSelection().removeAllRanges()")
            browser.wait_until(lambda: "new 0" in browser.ask(NAMES))

        await self.browse(visit)

    async def test_typing(self) -> None:
        """Nothing is renewed under the hands of somebody who types there, nor what they left half done."""

        def visit(browser: Browser) -> None:
            self.open(browser)
            browser.ask(FIELD)
            browser.ask("document.getElementById('mine').focus()")
            self.renewed(browser)
            browser.type("#mine", "half")
            browser.ask("document.activeElement.blur()")
            self.renewed(browser)
            self.assertEqual(browser.ask("return document.getElementById('mine').value"), "half")
            self.assertNotIn("new 0", browser.ask(NAMES))
            browser.ask("document.getElementById('mine').value = ''")
            browser.wait_until(lambda: "new 0" in browser.ask(NAMES))

        await self.browse(visit)

    async def test_failures(self) -> None:
        """A job that begins to fail is there by itself, while one is about to acknowledge another."""

        def visit(browser: Browser) -> None:
            browser.open("/failures")
            browser.wait_until(lambda: self.mark(browser) == "Live")
            browser.unfold("#job-3 summary")
            self.change(self.begin_to_fail)
            browser.wait_until(lambda: "/ New trouble" in browser.text("#failing"))
            self.assertTrue(browser.ask("return document.querySelector('#job-3 details').open"))

        await self.browse(visit)

    def begin_to_fail(self, connection: Connection) -> None:
        ended = {"current_status": "failed", "last_run_status": "failed", "last_run_stop": NOW}
        job = add_job(connection, add_category(connection, "new"), "New trouble", **ended)
        add_full_run(connection, job, Status.FAILED, NOW, 0.5, return_code=1)

    async def test_not_live(self) -> None:
        """An outage is said on the page, and so is its end; nothing is taken away meanwhile."""
        read = self.database.read

        async def fail(*_: Any) -> Any:
            raise DatabaseUnavailable("away")

        def visit(browser: Browser) -> None:
            browser.look(PHONE)
            self.open(browser)
            before = browser.ask(NAMES)
            self.meanwhile(setattr, self.database, "read", fail)
            trouble = "Not live: the database does not answer; trying again"
            browser.wait_until(lambda: self.mark(browser) == trouble)
            said = browser.ask("return document.getElementById('summary').textContent")
            self.assertIn("Not live: the ", said)
            self.assertEqual(browser.ask(NAMES), before)
            self.meanwhile(setattr, self.database, "read", read)
            browser.wait_until(lambda: self.mark(browser) == "Live")
            self.meanwhile(self.web.streams.end_all)
            browser.wait_until(lambda: self.mark(browser) == "Not live: it is only read again every 30 s")

        await self.browse(visit)
