"""The figures at the end, for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tests.integration.chaos.plan import Fault, Kind
from tests.integration.chaos.verdict import Verdict

_SHOWN = 20
"""Findings that are told one by one."""


def table(verdict: Verdict, faults: Iterable[Fault], more: Mapping[str, int]) -> str:
    """All figures of one chaos, `more` of them to begin with, and its findings."""
    figures = (f"  {name:<16}{value:>10}" for name, value in {**more, **_figures(verdict)}.items())
    lines = [*figures, "", *_faults(list(faults))]
    lines += [f"finding: {one}" for one in verdict.findings[:_SHOWN]]
    lines += [f"… and {len(verdict.findings) - _SHOWN} more"] if len(verdict.findings) > _SHOWN else []
    return "\n".join(lines)


def _figures(verdict: Verdict) -> dict[str, int]:
    return {
        "slots expected": verdict.slots,
        "rows": verdict.rows,
        "runs": verdict.runs,
        "missed slots": verdict.missed_slots,
        **{status: verdict.statuses[status] for status in ("skipped", "killed", "lost")},
        "twice": verdict.twice,
        "findings": len(verdict.findings),
    }


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
