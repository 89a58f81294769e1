"""The figures at the end, for people."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.integration.chaos.plan import Fault, Kind
from tests.integration.chaos.verdict import Verdict

_SHOWN = 20
"""Findings that are told one by one."""


def table(verdict: Verdict, faults: Iterable[Fault], title: str) -> str:
    """All figures of one chaos, and its findings."""
    lines = [title, *_figures(verdict), "", *_faults(list(faults))]
    for what, each in (("stranded", verdict.stranded), ("finding", verdict.findings)):
        lines += [f"{what}: {one}" for one in each[:_SHOWN]]
        lines += [f"… and {len(each) - _SHOWN} more"] if len(each) > _SHOWN else []
    return "\n".join(lines)


def _figures(verdict: Verdict) -> Iterator[str]:
    missed = f"{verdict.statuses['missed']} rows, {verdict.missed_slots} slots"
    figures = {
        "slots expected": verdict.slots,
        "rows": verdict.rows,
        "runs": verdict.runs,
        "missed": missed,
        **{status: verdict.statuses[status] for status in ("skipped", "killed", "lost")},
        "stranded": len(verdict.stranded),
        "twice": verdict.twice,
        "findings": len(verdict.findings),
    }
    yield from (f"  {name:<16}{value:>10}" for name, value in figures.items())


def _faults(faults: list[Fault]) -> Iterator[str]:
    counts = Counter((_sort_of(each.victim), each.kind) for each in faults)
    yield "".join(f"{word:>15}" for word in ("faults", *Kind, "all"))
    for sort in (*sorted({sort for sort, _ in counts}), None):
        row = [sum(n for (s, k), n in counts.items() if k is kind and sort in {s, None}) for kind in Kind]
        yield f"{sort or 'all':>15}" + "".join(f"{n or '':>15}" for n in (*row, sum(row)))


def _sort_of(victim: str) -> str:
    """The victim without its number; all wires to one server are of one sort."""
    _, is_wire, server = victim.partition(" > ")
    return f"to {server}" if is_wire else victim.split(maxsplit=1)[0]
