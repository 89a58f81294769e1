"""Figures and targets: what was measured is kept, judged and shown."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.figures import Sheet, Target, Who, in_words, percentile
from bench.record import Record
from bench.tables import figures_table, targets_table


def sheet_of(limits: list[float], rates: list[float]) -> Sheet:
    """A limit and a rate, measured in rounds."""
    sheet = Sheet()
    for limit, rate in zip(limits, rates, strict=True):
        sheet.add("limit", limit, "rows/s", Who.LIMIT)
        sheet.add("rate", rate, "jobs/s")
    return sheet


class JudgementTests(SynchronousTestCase):
    """A target is held against the middle of what was measured."""

    def test_ratios_are_taken_round_by_round(self) -> None:
        """A machine that was slow for a whole round does not change the ratio."""
        sheet = sheet_of([1000, 100, 1000], [500, 50, 500])
        (verdict,) = sheet.judge([Target("half", "rate", "limit", at_least=0.5)])
        self.assertEqual(verdict.values, (0.5, 0.5, 0.5))
        self.assertTrue(verdict.met)

    def test_bounds(self) -> None:
        """Each bound can be missed, and one bad round does not decide."""
        sheet = sheet_of([1, 1, 1], [10, 20, 900])
        for least, most, met in ((20, None, True), (21, None, False), (None, 20, True), (None, 19, False)):
            (verdict,) = sheet.judge([Target("so much", "rate", at_least=least, at_most=most)])
            self.assertEqual(verdict.met, met, (least, most))

    def test_figures_that_were_not_measured(self) -> None:
        """Without the peer there is no verdict on it."""
        sheet = sheet_of([1], [1])
        self.assertEqual(list(sheet.judge([Target("beside a peer", "rate", "peer", at_least=1)])), [])

    def test_one_name_one_meaning(self) -> None:
        """A name cannot stand for another unit in the next round."""
        sheet = sheet_of([1], [1])
        self.assertRaises(ValueError, sheet.add, "rate", 1, "s")

    def test_percentiles(self) -> None:
        """The value that so many percent do not exceed."""
        values = [float(number) for number in range(100, 0, -1)]
        self.assertEqual([percentile(values, p) for p in (1, 50, 99, 100)], [1, 50, 99, 100])
        self.assertEqual(percentile([7.0], 99), 7)


class KeepingTests(SynchronousTestCase):
    """What was measured can be read again."""

    def test_file(self) -> None:
        """All of it is in the file."""
        record = Record("runner", sheet_of([2, 3], [1, 2]), {"processors": 2}, {"cronq": "1"}, "2026-01-01")
        folder = Path(self.mktemp())
        again = Record.read(record.write(folder))
        self.assertEqual(again.sheet.as_data(), record.sheet.as_data())
        self.assertEqual((again.scenario, again.rounds, again.date), ("runner", 2, "2026-01-01"))
        self.assertEqual((again.machine, again.versions), (record.machine, record.versions))


class TableTests(SynchronousTestCase):
    """Tables say what was measured."""

    def test_numbers(self) -> None:
        """As many digits as mean something."""
        self.assertEqual(
            [in_words(n) for n in (12345.6, 123.4, 12.34, 0.001234, 0)],
            ["12,346", "123", "12.3", "0.00123", "0"],
        )

    def test_figures(self) -> None:
        """The middle, the spread, the unit and the number of rounds."""
        line = figures_table(sheet_of([1000, 3000, 2000], [1, 1, 1])).splitlines()[2]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        self.assertEqual(cells, ["limit", "limit", "2,000", "1,000 to 3,000", "rows/s", "3"])

    def test_targets(self) -> None:
        """A target that was missed stands out."""
        table = targets_table(sheet_of([10], [4]), [Target("half", "rate", "limit", at_least=0.5)])
        cells = [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")]
        self.assertEqual(cells, ["half", "0.4 times", "0.4 to 0.4", "**no**"])
