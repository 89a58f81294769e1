"""What a person sees of `cronq export`."""

import json

from cronq.domain.documents import read_document
from tests.commands.cli.case import CliTestCase, answer

DOCUMENT = {
    "category": "a&b ö/",
    "jobs": [{"name": "größe \x1b[31m\u202e", "schedule": "@daily", "command": "cd /srv\n./run"}],
}
PATH = "GET api/category/a%26b%20%C3%B6%2F"


class ExportTests(CliTestCase):
    def test_document(self) -> None:
        """It is printed for people, is harmless to a terminal, and means what the server has said."""
        self.web.on(PATH, answer(DOCUMENT))
        code, out, err = self.call("export", "a&b ö/")
        self.assertEqual((code, err), (0, []))
        self.assertIn('      "name": "größe \\u001b[31m\\u202e",', out)
        self.assertTrue(all(line.isprintable() for line in out))
        self.assertEqual(json.loads("\n".join(out)), DOCUMENT)
        self.assertEqual(read_document("\n".join(out)).category.name, "a&b ö/")

    def test_json(self) -> None:
        """With --json it is one line of ASCII."""
        self.web.on(PATH, answer(DOCUMENT))
        code, out, _ = self.call("export", "a&b ö/", "--json")
        self.assertEqual((code, len(out)), (0, 1))
        self.assertTrue(out[0].isascii())
        self.assertEqual(json.loads(out[0]), DOCUMENT)

    def test_unknown(self) -> None:
        """A category that is not there has an exit code of its own."""
        self.assertSays(
            ["export", "x"],
            3,
            [],
            ["cronq: Nothing at GET api/category/x.", "`cronq jobs` lists what there is."],
        )

    def test_something_else(self) -> None:
        """What is no document is not printed as one."""
        for said in ({}, {"category": "x"}, {"category": "x", "jobs": 7}):
            self.web.on("GET api/category/x", answer(said))
            code, out, err = self.call("export", "x")
            self.assertEqual((code, out), (1, []))
            self.assertIn("answers in another way than its API", err[0])
