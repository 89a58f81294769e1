"""Text on a terminal: harmless, measured and aligned."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.cli.terminal import Column, cut, harmless, table, width_of

texts = st.text(st.characters(exclude_categories=()), max_size=30)


class HarmlessTests(SynchronousTestCase):
    """What a terminal may be given."""

    def test_kept(self) -> None:
        """What people write stays as it is, spaces of any language among it."""
        for text in ("", "größe", "備份\u3000工作", "a\u00a0b", r"a\nb", "🦊", "e\u0301"):
            self.assertEqual(harmless(text), text)

    def test_escaped(self) -> None:
        """What a terminal would obey, or would not show, is written out."""
        for text, expected in (
            ("\x1b[31m", r"\x1b[31m"),
            ("a\nb\rc\td\0", r"a\nb\rc\td\x00"),
            ("\x9b2J\x7f", r"\x9b2J\x7f"),
            ("\u202etxt.exe\u2066", r"\u202etxt.exe\u2066"),
            ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
            ("\u2028\ud800", r"\u2028\ud800"),
        ):
            self.assertEqual(harmless(text), expected)

    @given(texts)
    def test_any(self, text: str) -> None:
        """Nothing else gets through, and each text is one line."""
        found = harmless(text)
        self.assertEqual({unicodedata.category(each)[0] for each in found} & {"C"}, set())
        self.assertLessEqual(len(found.splitlines()), 1)
        self.assertEqual(harmless(found), found)


class WidthTests(SynchronousTestCase):
    """How wide texts are."""

    def test_widths(self) -> None:
        """Letters of the far east take two columns, combining ones none."""
        for text, width in (("", 0), ("größe", 5), ("備份", 4), ("ﾃｽﾄ", 3), ("e\u0301", 1), ("🦊", 2)):
            self.assertEqual(width_of(text), width, text)

    @given(texts.map(harmless), st.integers(1, 40))
    def test_cut(self, text: str, width: int) -> None:
        """What is cut fits, and what fits is not cut."""
        found = cut(text, width)
        self.assertLessEqual(width_of(found), width)
        self.assertEqual(found == text, width_of(text) <= width)


class TableTests(SynchronousTestCase):
    """Tables."""

    @given(st.lists(st.tuples(texts, texts, texts), max_size=5), st.integers(30, 60))
    def test_fits(self, rows: list[tuple[str, str, str]], width: int) -> None:
        """Whatever is in it, a table is as wide as the terminal at most, and each row one line."""
        columns = (Column("A", least=5), Column("B", least=5, right=True), Column("C", least=5, expendable=1))
        lines = table(columns, rows, width)
        self.assertEqual(len(lines), len(rows) + 1)
        self.assertLessEqual(max(map(width_of, lines)), width)

    def test_expendable(self) -> None:
        """When there is no room, the columns that matter least go first; the others stay whatever comes."""
        columns = [Column("ONE"), Column("TWO", expendable=2), Column("SIX", expendable=1), Column("TEN")]
        rows = [("1", "2", "6", "10")]
        self.assertEqual(table(columns, rows, 18)[0], "ONE  TWO  SIX  TEN")
        self.assertEqual(table(columns, rows, 17)[0], "ONE  SIX  TEN")
        self.assertEqual(table(columns, rows, 12)[0], "ONE  TEN")
        self.assertEqual(table(columns, rows, 1)[0], "ONE  TEN")

    def test_paint(self) -> None:
        """Colour does not count as width, and titles have none."""
        columns = (Column("A", paint=lambda text: f"\x1b[1m{text}\x1b[0m"), Column("B"))
        self.assertEqual(
            table(columns, [("x", "y"), ("long", "z")], 9),
            ["A     B", "\x1b[1mx   \x1b[0m  y", "\x1b[1mlong\x1b[0m  z"],
        )
