"""Living through one history, and what came of it."""

import contextlib
import gc
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.chance import repeatable
from tests.simulation.edges import count_edges
from tests.simulation.faults import Fault
from tests.simulation.history import History
from tests.simulation.jobs import NAMES
from tests.simulation.verdict import count_slots, findings, ledger


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to say of a history when it is over."""

    seed: int
    days: float
    slots: int
    #: Commands that were started.
    starts: int
    faults: Counter[str]
    #: How often it came to where several rules meet.
    edges: Counter[str]
    findings: list[str]


def live(
    seed: int,
    days: float,
    tell: Callable[[str], object] | None = None,
    weights: Mapping[Fault, int] | None = None,
    names: Sequence[str] = NAMES,
) -> Outcome:
    """Live through the history with that seed; `tell` is given every line of what happens, if anybody wants
    to know. `weights` says which faults there are, and `names` which jobs, if not all.
    """
    with (
        _collected_in_time(),
        tempfile.TemporaryDirectory(prefix="cronq-simulation-") as name,
        repeatable(seed) as (chance, disk),
    ):
        history = History(days, Path(name), chance, disk, weights, names, tell)
        history.live()
        found = findings(history)
        outcome = Outcome(
            seed,
            days,
            count_slots(history),
            len(history.world.launcher.started),
            history.faults,
            count_edges(history, ledger(history)),
            found,
        )
    if tell is not None:
        for each in found:
            tell(f"FINDING {each}")
    return outcome


@contextlib.contextmanager
def _collected_in_time() -> Iterator[None]:
    """The history says when garbage is collected, and what was there before need not be looked through."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
