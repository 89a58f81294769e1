"""How long a job usually takes, by what its latest good runs took."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

#: How many of them count.
MOST_RUNS = 30


@dataclass(frozen=True, slots=True)
class UsualDuration:
    """What a job usually takes, in seconds."""

    #: How many runs it is drawn from, at most `MOST_RUNS`.
    runs: int
    median: float
    #: The shortest that 95 of 100 do not exceed (nearest rank): of fewer than 20 runs, the longest.
    p95: float


def usual_duration(seconds: Sequence[float]) -> UsualDuration | None:
    """What runs that took so long say, the latest first; None when there are none."""
    counted = sorted(seconds[:MOST_RUNS])
    if not counted:
        return None
    rank = -(-len(counted) * 95 // 100)
    return UsualDuration(len(counted), statistics.median(counted), counted[rank - 1])
