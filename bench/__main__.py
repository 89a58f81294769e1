"""`python -m bench [SCENARIO …]`: measure, print, keep, and write docs/performance.md."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.catalogue import SCENARIOS
from bench.figures import Sheet
from bench.machine import machine, versions
from bench.record import RESULTS, Record, today
from bench.scenario import Scenario, Size
from bench.tables import figures_table, targets_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; gives the exit code."""
    options = _parser().parse_args(arguments)
    unknown = sorted(set(options.scenarios) - set(SCENARIOS))
    if unknown:
        print(f"there is no scenario {unknown[0]!r}; there are: {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    size = Size(quick=options.quick, peers=not options.without_peers)
    into = options.into or (None if options.quick else RESULTS)
    for name in options.scenarios or SCENARIOS:
        scenario = SCENARIOS[name]
        _measure(scenario, size, options.repeats or scenario.rounds, into)
    if into == RESULTS:
        report.main()
    return 0


def _measure(scenario: Scenario, size: Size, repeats: int, into: Path | None) -> None:
    print(f"\n{scenario.name}: {scenario.title}\n", flush=True)
    sheet = Sheet()
    with scenario.prepare(size) as measure:
        for number in range(1, repeats + 1):
            began = time.monotonic()
            measure(sheet)
            took = time.monotonic() - began
            print(f"round {number} of {repeats}: {took:.0f} s", file=sys.stderr, flush=True)
    print(figures_table(sheet))
    print(targets_table(sheet, scenario.targets), flush=True)
    if into is not None:
        Record(scenario.name, sheet, machine(), versions(), today()).write(into)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures cronq on private servers, beside what the machine can do and beside its peers.",
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--repeats", type=_positive, metavar="N", help="rounds")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works; not kept")
    parser.add_argument("--without-peers", action="store_true", help="leave the peers out")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="keep the figures there, not in bench/results"
    )
    return parser


if __name__ == "__main__":
    for signalled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signalled, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
