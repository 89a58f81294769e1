"""The page of figures is written from the files of figures."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench import catalogue, report
from bench.record import RESULTS, Record
from tests.bench.test_figures import sheet_of

ROOT = Path(__file__).parents[2]


class PageTests(SynchronousTestCase):
    """docs/performance.md and what is written into it."""

    def test_place(self) -> None:
        """Only what stands between the marks is replaced."""
        page = f"before {report.BEGIN} old {report.END} after"
        again = report.page_with(report.page_with(page, "new"), "newer")
        self.assertEqual(again, f"before {report.BEGIN}\n\nnewer\n{report.END} after")

    def test_no_place(self) -> None:
        """A page without marks is left alone."""
        self.assertRaises(ValueError, report.page_with, "a page", "figures")

    def test_sections(self) -> None:
        """Each scenario has its figures, its plot, and the day and the machine they are of."""
        machine: dict[str, str | int] = {
            "processors": 2,
            "model": "A",
            "memory, GiB": 4,
            "kernel": "6.1",
            "system": "Debian",
        }
        record = Record("runner", sheet_of([1], [2]), machine, {"cronq": "9.9"}, "2026-01-02")
        text = report.as_markdown([record])
        for part in ("### runner", "(performance/runner.svg)", "| rate", "2026-01-02", "cronq 9.9"):
            self.assertIn(part, text)

    def test_published_page_is_that_of_the_published_figures(self) -> None:
        """Nobody has changed the one without the other, and all plots are there."""
        page = report.PAGE.read_text()
        records = report.read_records(RESULTS)
        self.assertEqual(page, report.page_with(page, report.as_markdown(records)))
        for path in re.findall(r"\((performance/[^)]+)\)", page):
            self.assertTrue((report.PAGE.parent / path).exists(), path)


class CatalogueTests(SynchronousTestCase):
    """What can be measured."""

    def test_scenarios_say_what_they_measure(self) -> None:
        """In sentences, and no two of their targets are called the same."""
        for scenario in catalogue.SCENARIOS.values():
            self.assertTrue(scenario.title.endswith("."), scenario.name)
            names = [target.text for target in scenario.targets]
            self.assertEqual(len(names), len(set(names)), scenario.name)

    def test_makefile(self) -> None:
        """The commands that the page names are there."""
        makefile = (ROOT / "Makefile").read_text()
        for target in set(re.findall(r"make (bench[\w-]*)", report.PAGE.read_text())):
            self.assertRegex(makefile, rf"(?m)^{target}:")
