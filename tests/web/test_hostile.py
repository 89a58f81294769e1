"""Names and output that somebody wrote to do harm."""

import re
from urllib.parse import quote

from cronq.web.words.directions import visible
from tests.web.installation import seed_small
from tests.web.seed import HOSTILE_NAMES, add_category, add_job
from tests.web.support import WebTestCase


class HostileTests(WebTestCase):
    def test_every_page(self) -> None:
        """Names, commands, hosts and reasons are text on every page, whatever is in them."""
        self.write(seed_small)
        paths = {
            "/",
            "/failures",
            "/runners",
            "/audit",
            "/audit?from=P90D",
            "/?q=%3Cscript%3E&category=%22%3E",
        }
        for path in ("/?category=%3Ci%3Ehostile%3C%2Fi%3E+%26+%22co%22", "/failures", "/runners"):
            links = [each.attributes["href"] for each in self.get(path).page.all("a")]
            paths |= {link for link in links if link.startswith(("/job/", "/run/", "/runner/"))}
        self.assertGreater(len(paths), 3 * len(HOSTILE_NAMES))
        for path in sorted(paths):
            answer = self.get(path)
            self.assertEqual(answer.code, 200, path)
            self.assertNotIn("alert(1)</script>", answer.text)
            self.assertTrue(answer.page.text)

    def test_names_are_shown_as_they_are(self) -> None:
        """A name is what its owner wrote, sign by sign; what turns the direction is written out."""
        self.write(seed_small)
        links = self.get("/?category=%3Ci%3Ehostile%3C%2Fi%3E+%26+%22co%22").page.texts("a")
        self.assertLessEqual({visible(" ".join(name.split())) for name in HOSTILE_NAMES}, set(links))

    def test_directions(self) -> None:
        """What makes a text look like another one is written out; what a form sends back stays."""
        turned = "rm \u202e\u2066sj.\u2069\u200f"
        category = self.write(add_category, turned)
        job = self.write(add_job, category, turned, command=turned)
        for path in ("/", f"/?category={quote(turned)}", "/categories", f"/job/{job}"):
            page = self.get(path).page
            self.assertIsNone(re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", page.text), path)
        self.assertIn(r"rm \u202e\u2066sj.\u2069\u200f", page.text)
        options = [each.attributes.get("value") for each in self.get("/").page.all("option")]
        self.assertIn(turned, options)
        self.assertEqual(self.get(f"/job/{job}").page.texts("pre"), [r"rm \u202e\u2066sj.\u2069\u200f"])
