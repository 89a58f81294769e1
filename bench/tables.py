"""Figures as tables of Markdown, which are fit for a terminal, too."""

from collections.abc import Iterator, Sequence

from bench.figures import Figure, Sheet, Target, Verdict, in_words


def figures_table(sheet: Sheet) -> str:
    """Every figure: its middle, and the least and the greatest of its values."""
    rows = [[figure.name, figure.who, *_spread(figure)] for figure in sheet.figures]
    return _table(["figure", "of", "median", "least to greatest", "unit", "rounds"], rows)


def targets_table(sheet: Sheet, targets: Sequence[Target]) -> str:
    """Every target for which there are figures: what was to be, what is, and whether that is enough."""
    rows = [_row(verdict) for verdict in sheet.judge(targets)]
    return _table(["target", "measured", "least to greatest", "met"], rows) if rows else ""


def _spread(figure: Figure) -> Iterator[str]:
    yield in_words(figure.median)
    yield f"{in_words(min(figure.values))} to {in_words(max(figure.values))}"
    yield figure.unit
    yield str(len(figure.values))


def _row(verdict: Verdict) -> list[str]:
    between = f"{in_words(min(verdict.values))} to {in_words(max(verdict.values))}"
    ratio = "" if verdict.target.of is None else " times"
    return [
        verdict.target.text,
        in_words(verdict.median) + ratio,
        between,
        "yes" if verdict.met else "**no**",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )
