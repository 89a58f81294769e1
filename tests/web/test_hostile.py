"""Names and output that somebody wrote to do harm."""

from tests.web.installation import seed_small
from tests.web.seed import HOSTILE_NAMES
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
        """A name is what its owner wrote, sign by sign."""
        self.write(seed_small)
        links = self.get("/?category=%3Ci%3Ehostile%3C%2Fi%3E+%26+%22co%22").page.texts("a")
        self.assertLessEqual({" ".join(name.split()) for name in HOSTILE_NAMES}, set(links))
