"""Lives through histories, and tells what is to be held against cronq.

python -m tests.simulation --seeds 1000 --days 30    the histories with the seeds 1 to 1000
python -m tests.simulation --seed 7 --days 30        that one, with all that happens in it
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

from tests.simulation.edges import Edge
from tests.simulation.living import Outcome, live

#: Seconds between two lines of progress.
PROGRESS = 10.0


def main(arguments: list[str]) -> int:
    """Gives the exit code: 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="live through this history only, and tell all of it")
    parser.add_argument("--seeds", type=int, default=100, help="how many histories")
    parser.add_argument("--first", type=int, default=1, help="the first seed of them")
    parser.add_argument("--days", type=float, default=1.0, help="how many days each of them lasts")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        outcomes = [live(chosen.seed, chosen.days, print)]
    else:
        outcomes = _live_all(range(chosen.first, chosen.first + chosen.seeds), chosen.days, chosen.processes)
    print(_summary(outcomes))
    failed = sorted((each for each in outcomes if each.findings), key=lambda each: each.seed)
    for outcome in failed:
        print(f"seed {outcome.seed}: {len(outcome.findings)} findings; the first: {outcome.findings[0]}")
        print(f"    make simulate SEED={outcome.seed} DAYS={outcome.days:g} replays it")
    return 1 if failed else 0


def _live_all(seeds: Sequence[int], days: float, processes: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    begun = told = time.monotonic()
    with multiprocessing.Pool(processes) as pool:
        for outcome in pool.imap_unordered(partial(live, days=days), seeds):
            outcomes.append(outcome)
            if outcome.findings:
                print(f"seed {outcome.seed}: {outcome.findings[0]}", flush=True)
            if time.monotonic() - told > PROGRESS:
                told = time.monotonic()
                print(_progress(outcomes, len(seeds), told - begun), flush=True)
    print(f"{time.monotonic() - begun:,.0f} s")
    return outcomes


def _progress(outcomes: list[Outcome], count: int, seconds: float) -> str:
    return (
        f"{len(outcomes):,} of {count:,} histories, {_slots(outcomes):,} slots, {seconds:,.0f} s,"
        f" {sum(len(each.findings) for each in outcomes):,} findings"
    )


def _summary(outcomes: list[Outcome]) -> str:
    faults = sum((each.faults for each in outcomes), Counter())
    edges = sum((each.edges for each in outcomes), Counter())
    lines = [f"{count:>9,} {name}" for name, count in faults.most_common()]
    lines += ["", *(f"{edges[edge]:>9,} {edge}" for edge in Edge)]
    lines += [
        "",
        f"{len(outcomes):>9,} histories of {outcomes[0].days:g} days",
        f"{_slots(outcomes):>9,} slots",
        f"{sum(each.starts for each in outcomes):>9,} commands that were started",
        f"{faults.total():>9,} faults",
        f"{sum(len(each.findings) for each in outcomes):>9,} findings",
    ]
    return "\n".join(lines)


def _slots(outcomes: list[Outcome]) -> int:
    return sum(each.slots for each in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
