"""What people do on the pages, in a real browser."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import Request

from cronq.database.categories import replace_category
from cronq.database.pausing import pause_job
from cronq.database.tables import jobs
from cronq.domain.documents import parse_document
from cronq.web.site import WebSettings
from cronq.web.words.directions import visible
from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, Browser
from tests.integration.browsing import BrowsingCase
from tests.web.seed import HOSTILE_NAMES, NOW

reactor: Any = _reactor

#: The contrast of each text on its ground, by WCAG 2.2, 1.4.3; gives those below 4.5 to 1.
CONTRAST = """
const channels = color => color.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
  .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const ground = element => {
  for (let each = element; each; each = each.parentElement) {
    const color = channels(getComputedStyle(each).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll("body *")]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
  .map(e => {
    const two = [channels(getComputedStyle(e).color), ground(e)].map(luminance);
    const [a, b] = two.sort((x, y) => y - x);
    return [(a + .05) / (b + .05), e.tagName, e.textContent.trim().slice(0, 40)];
  })
  .filter(([contrast]) => contrast < 4.5);
"""

#: The words of the header that do not stand on one line.
BROKEN = """
return [...document.querySelectorAll(".top a, #live:not([hidden]), .who span")].filter(link => {
  const words = document.createRange();
  words.selectNodeContents(link);
  return words.getBoundingClientRect().height > 32;
}).map(link => link.textContent.trim());
"""


#: How high the words are that notices begin with; how far their icons are from their texts; and where the
#: times by the clocks of a zone begin.
HEIGHTS = (
    "return [...document.querySelectorAll('.notice b')].map(each => each.getBoundingClientRect().height)"
)
GAPS = """
return [...document.querySelectorAll(".notice .mark")].map(mark =>
  mark.nextElementSibling.getBoundingClientRect().left - mark.getBoundingClientRect().right);
"""
LEFTS = """
return [...document.querySelectorAll(".slots li > span:nth-child(2)")]
  .map(each => each.getBoundingClientRect().left);
"""


class PageOfSomebodyElse(Resource):
    """A page at another port that sends a form to ours."""

    isLeaf = True

    def __init__(self, target: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._target = target

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("Content-Type", "text/html")
        button = "<button name=run_now value=1>You have won</button>"
        return f'<form method=post action="{self._target}">{button}</form>'.encode()


class ChromiumTests(BrowsingCase):
    settings = WebSettings(log_url_template="https://logs.example/?run={run_id}")

    def paths(self, browser: Browser) -> list[str]:
        """All kinds of pages: lists, one job, one run of each status."""
        browser.open("/failures?status=any")
        runs = browser.ask("return [...document.querySelectorAll('.state a')].map(a => a.pathname)")
        return [
            "/",
            "/?q=nothing+like+it",
            "/overview",
            "/upcoming",
            "/upcoming?hours=168",
            "/categories",
            "/failures",
            "/failures?status=lost",
            "/runners",
            "/runners?status=silent",
            "/runner/worker-3.example.net.4711",
            "/audit",
            "/audit?job=1&from=PT1H",
            "/changes",
            "/access",
            "/login",
            "/nope",
            "/job/1",
            "/job/3",
            "/job/4",
            *runs[-8:],
        ]

    async def test_job_in_a_zone(self) -> None:
        """The notices of a job and its slots by two clocks are in order, on a desk and on a phone."""
        zoned = {"name": "z", "command": "", "schedule": "* 2 * * *", "timezone": "Europe/Berlin"}
        category = parse_document({"jobs": [zoned]}, name="zoned").category
        self.write(lambda connection: replace_category(connection, category))
        job = self.write(lambda connection: connection.scalar(select(jobs.c.id).where(jobs.c.name == "z")))
        until = NOW + timedelta(days=1)
        self.write(lambda connection: pause_job(connection, job, until, "we move"))

        def visit(browser: Browser) -> None:
            for width in (DESKTOP, PHONE):
                browser.look(width)
                browser.open(f"/job/{job}")
                heights = browser.ask(HEIGHTS)
                self.assertTrue(heights)
                self.assertLess(max(heights), 28, width)
                gaps = browser.ask(GAPS)
                self.assertTrue(gaps)
                self.assertGreater(min(gaps), 6, width)
                lefts = browser.ask(LEFTS)
                self.assertEqual((len(lefts), len(set(lefts)) if width == DESKTOP else 1), (5, 1))

        await self.browse(visit)

    async def test_every_screen(self) -> None:
        """On a phone and on a desk, light and dark, every page fits, can be read, and has no fault."""

        def visit(browser: Browser) -> None:
            paths = self.paths(browser)
            for width in (DESKTOP, PHONE):
                for scheme in (LIGHT, DARK):
                    browser.look(width, scheme)
                    for path in paths:
                        browser.open(path)
                        self.assertLessEqual(browser.ask("return document.body.scrollWidth"), width, path)
                        self.assertEqual(browser.ask(CONTRAST), [], (path, scheme))
                        self.assertEqual(browser.ask(BROKEN), [], (path, width))
            faults = [each for each in browser.complaints() if "/nope" not in each]
            self.assertEqual(faults, [])

        await self.browse(visit)

    async def test_dark_is_dark(self) -> None:
        """Who prefers dark gets dark."""

        def visit(browser: Browser) -> None:
            grounds = []
            for scheme in (LIGHT, DARK):
                browser.look(scheme=scheme)
                browser.open("/")
                ground = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"
                grounds.append(int(browser.ask(ground)))
            self.assertGreater(grounds[0], 200)
            self.assertLess(grounds[1], 50)

        await self.browse(visit)

    async def test_cards(self) -> None:
        """On a phone each row of a table is a card, whose values have their names beside them."""

        def visit(browser: Browser) -> None:
            shown = "return getComputedStyle(document.querySelector('tbody tr:not(.group)')).display"
            label = "return getComputedStyle(document.querySelector('.next'), '::before').content"
            for width, display, content in ((DESKTOP, "table-row", "none"), (PHONE, "grid", '"Next run"')):
                browser.look(width)
                browser.open("/")
                self.assertEqual((browser.ask(shown), browser.ask(label)), (display, content))

        await self.browse(visit)

    async def test_without_scripts(self) -> None:
        """Without scripts one searches, filters, turns pages, looks at a run, and drains a runner."""

        def visit(browser: Browser) -> None:
            browser.look(PHONE, script=False)
            browser.open("/")
            browser.type("input[name=q]", "EXCHANGE")
            browser.click(".filter button")
            self.assertEqual(browser.texts(".name"), ["Fetch exchange rates"])
            browser.follow("Fetch exchange rates")
            browser.follow("Older runs →")
            self.assertEqual(len(browser.texts(".runs tbody tr")), 19)
            browser.click(".state a")
            self.assertIn("It succeeded.", browser.text())
            self.assertIn("recorded", browser.text(".waterfall"))
            browser.follow("Failures")
            browser.follow("unroutable")
            self.assertIn("cronq-runner --queue backup-host", browser.text("table"))
            browser.follow("Runners")
            browser.follow("worker-3.example.net.4711")
            self.assertEqual(browser.texts(".held .name a"), ["Fetch exchange rates"])
            browser.click(".head button")
            self.assertIn("It is told to drain", browser.text("main [role=status]"))
            self.assertEqual(browser.texts(".head button"), [])

        await self.browse(visit)

    async def test_run_and_call_off(self) -> None:
        """Without scripts one runs a job, says why, and calls the run off."""

        def visit(browser: Browser) -> None:
            browser.look(PHONE, script=False)
            browser.open("/job/4")
            self.assertNotIn("queued", browser.text(".runs tbody"))
            browser.unfold(".run-now summary")
            browser.type("input[name=reason]", "the rates came late")
            browser.click("button[name=run_now]")
            self.assertTrue(browser.driver.current_url.endswith("/job/4"), browser.driver.current_url)
            self.assertIn("queued", browser.text(".runs tbody tr"))
            browser.click(".state a")
            self.assertIn("the rates came late", browser.text("dl"))
            browser.type("input[name=reason]", "not today")
            browser.click(".asking button")
            self.assertIn("It did not start. Killed by hand: not today.", browser.text())

        await self.browse(visit)

    async def test_times_stay_fresh(self) -> None:
        """While a page is open its relative times go on."""

        def visit(browser: Browser) -> None:
            browser.open("/job/4")
            before = browser.text(".runs time")
            browser.wait_until(lambda: browser.text(".runs time") != before)
            self.assertRegex(browser.text(".runs time"), r"^\d+ s ago$")

        await self.browse(visit)

    async def test_same_words_in_script_and_server(self) -> None:
        """The script words a time as the server does."""

        def visit(browser: Browser) -> None:
            texts = "return [...document.querySelectorAll('time.relative')].map(t => t.textContent.trim())"
            browser.look(script=False)
            browser.open("/")
            browser.look(script=True)
            made = browser.ask(texts)
            browser.open("/")
            browser.ask("document.dispatchEvent(new Event('visibilitychange'))")
            fresh = browser.ask(texts)
            far = [
                index
                for index, text in enumerate(made)
                if not text.endswith((" s", " s ago", "minutes", "minute"))
            ]
            self.assertGreater(len(far), 5)
            self.assertEqual([fresh[index] for index in far], [made[index] for index in far])

        await self.browse(visit)

    async def test_hostile_names(self) -> None:
        """No name makes the browser do anything but show it."""

        def visit(browser: Browser) -> None:
            browser.open("/?category=%3Ci%3Ehostile%3C%2Fi%3E+%26+%22co%22")
            names = browser.ask("return [...document.querySelectorAll('.name a')].map(a => a.textContent)")
            shown = [visible(name) for name in HOSTILE_NAMES]
            self.assertEqual(sorted(names), sorted(shown))
            for link in browser.ask("return [...document.querySelectorAll('.name a')].map(a => a.pathname)"):
                browser.open(link)
                self.assertIn(browser.ask("return document.querySelector('h1').textContent"), shown)
                browser.click(".state a")
                self.assertIn("It failed: exit 1.", browser.text(".lead"))
            self.assertEqual(browser.complaints(), [])

        await self.browse(visit)

    async def test_nothing_from_elsewhere(self) -> None:
        """All that a page loads comes from cronq itself, and inline code would not run."""

        def visit(browser: Browser) -> None:
            browser.open("/")
            loaded = browser.ask("return performance.getEntriesByType('resource').map(entry => entry.name)")
            self.assertGreaterEqual(len(loaded), 2)
            self.assertEqual([name for name in loaded if not name.startswith(self.base)], [])
            browser.ask(
                "const script = document.createElement('script'); script.textContent = 'window.ran = true';"
                "document.body.append(script)"
            )
            self.assertIsNone(browser.ask("return window.ran"))

        await self.browse(visit)

    async def test_form_of_somebody_else(self) -> None:
        """A form on a page of somebody else runs nothing."""
        other = self.listen(PageOfSomebodyElse(f"{self.base}/job/4"))

        def visit(browser: Browser) -> None:
            browser.driver.get(other)
            browser.click("button")
            self.assertIn("A page of another site has sent this.", browser.text())
            browser.open("/job/4")
            self.assertNotIn("A run is asked for", browser.text())

        await self.browse(visit)

    async def test_keyboard(self) -> None:
        """The first stop of the keyboard leads past the head of the page, and shows that it has the focus."""

        def visit(browser: Browser) -> None:
            browser.open("/")
            browser.type("body", "\ue004")
            focused = (
                "const e = document.activeElement; return [e.textContent, e.getBoundingClientRect().x >= 0,"
            )
            focused += " getComputedStyle(e).outlineStyle]"
            self.assertEqual(browser.ask(focused), ["Skip to the content", True, "solid"])

        await self.browse(visit)
