"""Writes what was measured into docs/performance.md, with a plot of each scenario.

`python -m bench.report`; the figures are those in bench/results, of whichever day each of them is.
"""

from collections.abc import Sequence
from pathlib import Path

from bench.catalogue import SCENARIOS
from bench.record import RESULTS, Record
from bench.tables import figures_table, targets_table

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PICTURES = PAGE.parent / "performance"
BEGIN = "<!-- what stands between this line and its fellow is written by `make bench-report` -->"
END = "<!-- here it ends -->"

NOTHING = "No figures have been published yet.\n"


def main() -> None:
    """Read the figures, draw the plots and write the page."""
    from bench import plots  # noqa: PLC0415 (what draws is heavy, and reading and writing does without)

    records = read_records(RESULTS)
    for record in records:
        plots.draw(record, PICTURES)
    PAGE.write_text(page_with(PAGE.read_text(), as_markdown(records)))


def read_records(folder: Path) -> list[Record]:
    """The records in a folder, in the order of the scenarios."""
    paths = (folder / f"{name}.json" for name in SCENARIOS)
    return [Record.read(path) for path in paths if path.exists()]


def page_with(page: str, figures: str) -> str:
    """The page with these figures in place of those that it has. Raises ValueError when it has no place."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no place for figures")
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"


def as_markdown(records: Sequence[Record]) -> str:
    """All figures, one section for each scenario."""
    return "\n".join(map(_section, records)) if records else NOTHING


def _section(record: Record) -> str:
    scenario = SCENARIOS[record.scenario]
    parts = [
        f"### {record.scenario}",
        scenario.title,
        targets_table(record.sheet, scenario.targets).rstrip(),
        f"![{record.scenario}](performance/{record.scenario}.svg)",
        f"<details><summary>All figures</summary>\n\n{figures_table(record.sheet)}\n</details>",
        _circumstances(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _circumstances(record: Record) -> str:
    machine = record.machine
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return (
        f"*{record.date}, {record.rounds} rounds; {machine['processors']} processors ({machine['model']}),"
        f" {machine['memory, GiB']} GiB, Linux {machine['kernel']}, {machine['system']}; {versions}.*"
    )


if __name__ == "__main__":
    main()
