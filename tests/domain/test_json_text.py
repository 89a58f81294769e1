"""What the writer of a text is told that is no JSON, or that other readers of JSON would read differently."""

import json

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadDocument
from cronq.domain.json_text import load_json


class LoadJsonTests(SynchronousTestCase):
    """Texts that are JSON, and texts that are not."""

    def assertRefused(self, text: bytes | str, message: str, line: int | None = None) -> None:
        error = self.assertRaises(BadDocument, load_json, text)
        self.assertEqual(
            [(fault.place, fault.message, fault.line) for fault in error.faults], [("", message, line)]
        )

    def test_json(self) -> None:
        """UTF-8 is read, with or without the byte order mark that some editors write."""
        text = '{"grüße": ["🐘", 1, 0.5, null, true, "\\u0000\\ud800"]}'
        for source in (text, text.encode(), b"\xef\xbb\xbf" + text.encode(), "\ufeff" + text):
            self.assertEqual(load_json(source).value, json.loads(text))

    def test_syntax(self) -> None:
        """A fault of syntax has its line and column."""
        self.assertRefused('{"a": 1,\n  "b" 2}', "not JSON at line 2, column 7: Expecting ':' delimiter", 2)
        self.assertRefused("name: yaml", "not JSON at line 1, column 1: Expecting value", 1)
        self.assertRefused("{} {}", "not JSON at line 1, column 4: Extra data", 1)
        self.assertRefused('"a\nb"', "not JSON at line 1, column 3: Invalid control character at", 1)

    def test_empty(self) -> None:
        """An empty text is called empty."""
        for text in ("", b"", " \r\n", b"\xef\xbb\xbf"):
            self.assertRefused(text, "not JSON: it is empty", 1)

    def test_numbers_that_are_none(self) -> None:
        """NaN and the infinities, which Python alone reads, are told with their place."""
        for name in ("NaN", "Infinity", "-Infinity"):
            message = f"not JSON at line 2, column 8: {name} is not a number of JSON"
            self.assertRefused(f'{{"NaN": "-Infinity",\n  "b": {name}}}', message, 2)

    def test_encoding(self) -> None:
        """Bytes that are no UTF-8 are told with their line."""
        self.assertRefused('{\n"ä": 1}'.encode("latin-1"), "not UTF-8: byte 0xe4 in line 2", 2)
        self.assertRefused("{}".encode("utf-16"), "not UTF-8: byte 0xff in line 1", 1)
        self.assertRefused(b'"\xed\xa0\x80"', "not UTF-8: byte 0xed in line 1", 1)

    def test_bombs(self) -> None:
        """Neither a million brackets nor a number of a million digits does harm."""
        deep = "not a category document: it is nested too deeply"
        self.assertRefused("[" * 1_000_000, deep)
        self.assertRefused('{"a":' * 1_000_000, deep)
        self.assertRefused("9" * 1_000_000, "not a category document: a number in it has too many digits")
