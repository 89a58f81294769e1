"""Every page, held against axe-core (https://github.com/dequelabs/axe-core) in a real browser.

Which pages there are, the routes say; where those with a variable in their path are, links on other pages do.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from tests.integration.browser import DARK, DESKTOP, LIGHT, PHONE, Browser
from tests.integration.browsing import BrowsingCase

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
#: Of each route, so many pages are looked at.
MOST = 5
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
LINKS = """
return [...document.querySelectorAll('a[href^="/"]')]
  .map(a => new URL(a.getAttribute("href"), location)).map(to => to.pathname + to.search);
"""
TYPE = """
const enough = new AbortController();
return fetch(arguments[0], {signal: enough.signal}).then(answer => {
  enough.abort();
  return answer.headers.get("Content-Type");
});
"""
FAULTS = """
return axe.run(arguments[0]).then(found => found.violations
  .filter(each => ["serious", "critical"].includes(each.impact))
  .map(each => [each.id, each.help, each.nodes.map(node => node.html.slice(0, 200)).slice(0, 3)]));
"""


def pattern_of(path: str) -> re.Pattern[str]:
    """The paths of a route."""
    parts = re.split(r"(<[^>]+>)", path)
    return re.compile("".join("[^/]+" if part.startswith("<") else re.escape(part) for part in parts))


class AxeTests(BrowsingCase):
    timeout = 900

    def routes(self) -> dict[str, re.Pattern[str]]:
        """Those that may answer with a page; a page of a run listens to its stream by itself."""
        return {
            route.path: pattern_of(route.path)
            for route in self.web.routes
            if "GET" in route.methods
            and not route.path.startswith(("/api/", "/static/", "/_status"))
            and not route.path.endswith("/stream")
        }

    def pages(self, browser: Browser) -> list[str]:
        """Some pages of each route."""
        routes = self.routes()
        found: dict[str, list[str]] = defaultdict(list)
        waiting = [path for path in routes if "<" not in path]
        browser.open("/")
        while waiting:
            address = waiting.pop(0)
            path = address.partition("?")[0]
            route = next((each for each, pattern in routes.items() if pattern.fullmatch(path)), None)
            if route is None or address in found[route] or len(found[route]) == MOST:
                continue
            found[route].append(address)
            if "text/html" in self.kind(browser, address):
                browser.open(address)
                waiting += browser.ask(LINKS)
        self.assertEqual(set(routes) - found.keys(), set(), "no link leads to a page of these")
        return [address for each in found.values() for address in each if self.is_page(browser, address)]

    def kind(self, browser: Browser, address: str) -> str:
        return str(browser.driver.execute_script(TYPE, address))

    def is_page(self, browser: Browser, address: str) -> bool:
        return "text/html" in self.kind(browser, address)

    def faults(self, browser: Browser, pages: list[str], options: Any) -> Iterator[Any]:
        for address in pages:
            browser.open(address)
            browser.ask(OPEN_ALL)
            browser.ask(AXE)
            if faults := browser.driver.execute_script(FAULTS, options):
                yield address, faults

    async def check(self, scheme: str, options: Any) -> None:
        def visit(browser: Browser) -> None:
            pages = self.pages(browser)
            self.assertGreater(len(pages), 20)
            for width in (DESKTOP, PHONE):
                browser.look(width, scheme)
                self.assertEqual(list(self.faults(browser, pages, options)), [], width)

        await self.browse(visit)

    async def test_light(self) -> None:
        """On a desk and on a phone, no page has a serious fault."""
        await self.check(LIGHT, {})

    async def test_dark(self) -> None:
        """Who prefers dark can read all of them as well; nothing else is another then."""
        await self.check(DARK, {"runOnly": ["color-contrast"]})

    async def test_dialog(self) -> None:
        """The help for keys has none either."""

        def visit(browser: Browser) -> None:
            browser.open("/runners")
            browser.unfold("#show-keys")
            browser.ask(AXE)
            self.assertEqual(browser.driver.execute_script(FAULTS, {}), [])

        await self.browse(visit)
