"""Colours and shapes of output, and all else that a command can tell a terminal."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.outputs import Piece, Stream
from cronq.web.words.terminal import Painter, Span, printable

OUT, ERR = Stream


def paint(text: str) -> list[tuple[str, str]]:
    return [(span.text, span.classes) for span in Painter().paint([Piece(OUT, text)])]


def look(numbers: str) -> str:
    """The classes of what follows a sequence with these numbers."""
    ((_, classes),) = paint(f"\x1b[{numbers}mx")
    return classes


class ColourTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Text without colours is one span without classes."""
        self.assertEqual(paint("a\n\tb"), [("a\n\tb", "")])

    def test_sixteen(self) -> None:
        """The colours of letters and grounds, dark and bright."""
        for numbers, classes in (
            ("30", "c0"), ("31", "c1"), ("37", "c7"), ("90", "c8"), ("97", "c15"),
            ("40", "g0"), ("44", "g4"), ("100", "g8"), ("107", "g15"),
            # On a ground letters have a colour that can be read on it.
            ("31;44", "g4"),
        ):  # fmt: skip
            self.assertEqual(look(numbers), classes)

    def test_shapes(self) -> None:
        """Bold, faint, italic, underlined, struck through and inverse, alone and together."""
        for numbers, classes in (
            ("1", "bold"), ("2", "faint"), ("3", "italic"), ("4", "underline"), ("9", "struck"),
            ("7", "inverse"), ("7;31", "g1"), ("1;4;32", "c2 bold underline"), ("4:3", "underline"),
        ):  # fmt: skip
            self.assertEqual(look(numbers), classes)

    def test_off(self) -> None:
        """Each can be ended alone, and all together."""
        ended = "31;39", "44;49", "1;22", "2;22", "3;23", "4;24", "7;27", "9;29", "1;31;44;0", "1;", "91;39"
        for numbers in (*ended, "5", "8", "58;5;1"):
            self.assertEqual(look(numbers), "", numbers)

    def test_many_colours(self) -> None:
        """One of 256 colours, or of all, is the one of sixteen that is most alike."""
        for numbers, classes in (
            ("38;5;1", "c1"), ("38;5;9", "c9"), ("38;5;196", "c9"), ("38;5;46", "c10"), ("38;5;21", "c4"),
            ("38;5;232", "c0"), ("38;5;255", "c7"), ("48;5;226", "g11"), ("38;2;200;190;0", "c3"),
            ("38;2;130;120;125", "c8"), ("38:2:0:0:200", "c4"), ("38:2::0:200:0", "c2"), ("38:5:14", "c14"),
            # What comes after it counts as ever.
            ("38;5;1;1", "c1 bold"), ("38;2;0;0;200;4", "c4 underline"),
            ("38", ""), ("38;5", ""),
            ("38;2;1", ""), ("38;9;1", "bold"), ("98;1", "bold"), ("38;5;99999", "c7"),
        ):  # fmt: skip
            self.assertEqual(look(numbers), classes, numbers)

    def test_spans(self) -> None:
        """Text that looks alike is one span, and a colour lasts until it is ended."""
        found = paint("a\x1b[31mb\x1b[31mc\nd\x1b[me\x1b[1m")
        self.assertEqual(found, [("a", ""), ("bc\nd", "c1"), ("e", "")])

    def test_streams(self) -> None:
        """Each stream has its own colours, and standard error is marked."""
        pieces = [Piece(OUT, "\x1b[31ma"), Piece(ERR, "b"), Piece(OUT, "c"), Piece(ERR, "\x1b[1md")]
        spans = [Span("a", "c1"), Span("b", "err"), Span("c", "c1"), Span("d", "err bold")]
        self.assertEqual(Painter().paint(pieces), spans)

    @given(st.text("\x1b[]0123;m:ab\r\n\x07\\P(", max_size=60), st.lists(st.integers(0, 60)))
    def test_however_it_is_cut(self, text: str, cuts: list[int]) -> None:
        """Live, output comes in pieces that are cut anywhere; it looks as if it had come at once."""
        painter, found, start = Painter(), list[Span](), 0
        for stop in sorted(cuts):
            found += painter.paint([Piece(OUT, text[start:stop])], more=True)
            start = max(start, stop)
        found += painter.paint([Piece(OUT, text[start:])])
        letters = [(letter, span.classes) for span in found for letter in span.text]
        self.assertEqual(letters, [(letter, classes) for part, classes in paint(text) for letter in part])


class HarmlessTests(SynchronousTestCase):
    def test_left_out(self) -> None:
        """What moves the cursor, names the window, asks or links is left out, but for the text of a link."""
        for text in (
            "\x1b[2J\x1b[1;1Ha", "\x1b]0;title\x07a", "\x1b]0;title\x1b\\a", "\x1b(B\x1b[ma", "\x1b7a\x1b8",
            "\x1b]8;;http://x\x1b\\a\x1b]8;;\x1b\\", "\x1bP1$r\x1b\\a", "\x1b[?25la", "\x1bca", "a\x1b",
            "a\x1b[3",
        ):  # fmt: skip
            self.assertEqual(printable(text), "a", repr(text))

    def test_unending_string(self) -> None:
        """A string for the terminal that does not end hides nothing."""
        self.assertEqual(printable("\x1b]0;all\nthat follows"), "0;all\nthat follows")
        self.assertEqual(printable("\x1b]" + "x" * 5000), "x" * 5000)
        self.assertEqual(printable("\x1b]the rest"), "the rest")

    def test_written_out(self) -> None:
        """Other control characters and what turns the direction are written out."""
        self.assertEqual(printable("\0\x08\u202e\u200f\x9b\u2028"), r"\x00\x08\u202e\u200f\x9b\u2028")

    def test_lines(self) -> None:
        """Every way to begin a line begins one."""
        self.assertEqual(printable("a\r\nb\rc\r\r\nd\r"), "a\nb\nc\nd\n")

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Whatever is written, nothing is left that does more than stand there."""
        self.assertIsNone(
            re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", printable(text))
        )
        for _, classes in paint(text):
            self.assertRegex(classes, "^[a-z0-9 ]*$")
