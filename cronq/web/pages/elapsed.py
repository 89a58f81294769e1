"""How long a run has been running against what its job usually takes, as a small bar."""

from dataclasses import dataclass

from cronq.database.reading.overview import RunningRun


@dataclass(frozen=True, slots=True)
class ElapsedBar:
    """Percent of its width."""

    done: float
    #: What it usually takes at most; None when that is not known.
    limit: float | None


def elapsed_bar(running: RunningRun) -> ElapsedBar:
    """The bar of a run: it ends at the usual limit, or where the run has come to beyond it."""
    if running.usual is None:
        return ElapsedBar(0.0, None)
    elapsed = running.elapsed.total_seconds()
    end = max(elapsed, running.usual.p95, 0.001)
    return ElapsedBar(round(elapsed / end * 100, 1), round(running.usual.p95 / end * 100, 1))
