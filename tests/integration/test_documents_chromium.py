"""The days and runs of a job, and documents that are looked at before they are put in place, in a browser."""

import json
from typing import Any

from cronq.database.counting import count_days
from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, Browser
from tests.integration.browsing import BrowsingCase
from tests.integration.test_web_chromium import BROKEN, CONTRAST

HOSTILE = "/category/%3Ci%3Ehostile%3C%2Fi%3E%20%26%20%22co%22"
DOCUMENT = {
    "category": "billing",
    "jobs": [
        {"name": "Send invoices", "schedule": "R/2024-01-31T02:30:00Z/P1M", "command": "true"},
        {"name": "<b>New</b>", "schedule": "@daily", "command": "echo\n</textarea>", "shedule": 1},
    ],
}
#: Whether the middle of an element is on the screen, and nothing lies over it.
SEEN = """
const box = document.querySelector(arguments[0]).getBoundingClientRect();
const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
return document.elementFromPoint(x, y)?.closest(arguments[0]) !== null;
"""


class DocumentTests(BrowsingCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(count_days)

    def paste(self, browser: Browser, document: dict[str, Any]) -> None:
        """Put a document into the field for it, and look what it would change."""
        field = browser.driver.find_element("css selector", ".draft textarea")
        field.clear()
        field.send_keys(json.dumps(document, indent=1))
        browser.click(".draft button")

    async def test_every_screen(self) -> None:
        """On a phone and on a desk, light and dark, all of it fits, can be read, and has no fault."""
        paths = [
            "/categories",
            "/category/billing",
            HOSTILE,
            "/job/4?state=failed",
            "/job/4?day=2026-11-23",
            "/job/5",
        ]

        def check(browser: Browser, path: str, width: int) -> None:
            self.assertLessEqual(browser.ask("return document.body.scrollWidth"), width, path)
            self.assertEqual(browser.ask(CONTRAST), [], path)
            self.assertEqual(browser.ask(BROKEN), [], path)

        def visit(browser: Browser) -> None:
            for width in (DESKTOP, PHONE):
                for scheme in (LIGHT, DARK):
                    browser.look(width, scheme)
                    for path in paths:
                        browser.open(path)
                        check(browser, path, width)
                    browser.open("/category/billing")
                    self.paste(browser, DOCUMENT)
                    check(browser, "what would change", width)
            self.assertEqual(browser.complaints(), [])

        await self.browse(visit)

    async def test_put_in_place(self) -> None:
        """Without scripts, on a phone: look at a document, see what is wrong, mend it, put it in place."""

        def visit(browser: Browser) -> None:
            browser.look(PHONE, script=False)
            browser.open("/categories")
            browser.follow("billing")
            self.paste(browser, DOCUMENT | {"jobs": [{"name": "x"}]})
            self.assertIn("there are 2 faults in the document", browser.text())
            self.paste(browser, DOCUMENT)
            self.assertIn("1 added, 1 changed, 3 removed, 0 unchanged.", browser.text(".lead"))
            self.assertIn("unknown key, did you mean schedule?", browser.text(".faults"))
            self.assertIn("+ echo\n</textarea>", browser.text(".deltas"))
            browser.click(".deeds button")
            self.assertTrue(browser.driver.current_url.endswith("/category/billing"))
            self.assertIn("2 jobs", browser.text(".head"))
            self.assertIn("Last changed now by somebody", browser.text(".head"))
            browser.follow("2 jobs")
            self.assertEqual(sorted(browser.texts(".name a")), ["<b>New</b>", "Send invoices"])

        await self.browse(visit)

    async def test_edited_after_looking(self) -> None:
        """What was changed after it was looked at is not put in place."""

        def visit(browser: Browser) -> None:
            browser.open("/category/billing")
            self.paste(browser, DOCUMENT)
            browser.type(".draft textarea", " ")
            browser.click(".deeds button")
            self.assertEqual(browser.texts("[role=alert]"), [])  # a blank changes nothing
            browser.open("/category/billing")
            self.paste(browser, DOCUMENT | {"jobs": []})
            browser.driver.execute_script("document.querySelector('textarea').value = '{\"jobs\": []} '")
            browser.click(".deeds button")
            self.assertIn("not the one that was looked at any more", browser.text("[role=alert]"))

        await self.browse(visit)

    async def test_copy(self) -> None:
        """With a script there is a button that copies the document, and without one there is none."""

        def visit(browser: Browser) -> None:
            browser.open("/category/billing")
            browser.unfold("[data-copy]")
            browser.wait_until(lambda: browser.text("[data-copy]") != "Copy")
            selected = "const e = document.querySelector('textarea');"
            selected += "return e.value.slice(e.selectionStart, e.selectionEnd)"
            self.assertEqual(json.loads(browser.ask(selected))["category"], "billing")
            browser.look(script=False)
            browser.open("/category/billing")
            self.assertNotIn("Copy", browser.texts("button"))

        await self.browse(visit)

    async def test_days(self) -> None:
        """The last days are on the screen, however narrow it is; a click on one shows its runs."""

        def visit(browser: Browser) -> None:
            for width in (DESKTOP, PHONE):
                browser.look(width, script=False)
                browser.open("/job/3")
                browser.click(".days a[href*='2026-11-22']")
                self.assertIn("Sunday, 22 November 2026", browser.text("#runs h2"))
                self.assertTrue(browser.driver.execute_script(SEEN, "#runs h2"))
                browser.driver.execute_script("document.querySelector('.days').scrollIntoView()")
                self.assertTrue(browser.driver.execute_script(SEEN, ".days a[aria-current]"), width)

        await self.browse(visit)

    async def test_search(self) -> None:
        """The keyboard finds the runs of a day, and of a state, by the form."""

        def visit(browser: Browser) -> None:
            browser.look(PHONE, script=False)
            browser.open("/job/4")
            browser.type("select[name=state]", "timed")
            browser.click("#runs .filter button")
            self.assertEqual(browser.texts("#found .state"), ["timed out"])
            browser.follow("Clear")
            self.assertEqual(len(browser.texts("#found tbody tr")), 25)
            browser.follow("Older runs →")
            browser.follow("← Newer runs")
            self.assertEqual(len(browser.texts("#found tbody tr")), 25)
            self.assertNotIn("← Newer runs", browser.text("#found"))

        await self.browse(visit)
