"""Jobs that come to no good end again and again: since when, and how often; of many at the price of one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from cronq.database.reading.brief_runs import Bar, latest_bars
from cronq.database.reading.history import runs_of_job
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.runs import RunRecord, completions, ledger_records, select_runs
from cronq.database.tables import runs
from cronq.domain.runs import Status

#: So far back it is looked how long a job has been failing; runs.
MOST_RUNS = 100
#: Most jobs that fail have succeeded not so many runs ago, or have not succeeded for long.
_FEW = 10


@dataclass(frozen=True, slots=True)
class Streak:
    """Runs of a job that came to no good end, with none that succeeded since."""

    latest: RunRecord
    #: When the first of them came to its end, as far as that is known.
    since: datetime | None
    count: int
    #: Whether there may be more, before the first.
    more: bool


class _Ended(Protocol):
    """What has come to some status."""

    @property
    def status(self) -> Status:
        """Which."""

    @property
    def in_trouble(self) -> bool:
        """Whether that is an end that somebody should look at."""


E = TypeVar("E", bound=_Ended)


def find_streaks(connection: Connection, job_ids: Collection[int]) -> Mapping[int, Streak]:
    """Those of these jobs that are in one, by the id of the job."""
    bars = _bars(connection, job_ids)
    in_ledger: dict[int, tuple[list[Bar], bool]] = {}
    found: dict[int, Streak] = {}
    inheritance = Inheritance(connection)
    for job_id in job_ids:
        mine = bars.get(job_id, ())
        streak, open_ended = _streak(mine)
        if open_ended and len(mine) < MOST_RUNS:
            # That is all that the ledger knows: what 0.27 left may tell more.
            if inheritance.last:
                found |= _with_inherited(connection, job_id)
                continue
            open_ended = False
        if streak:
            in_ledger[job_id] = streak, open_ended
    return {**found, **_of_ledger(connection, in_ledger)}


def _bars(connection: Connection, job_ids: Collection[int]) -> Mapping[int, Sequence[Bar]]:
    """The latest runs of each job, as many as it takes to see how long it has been failing."""
    few = latest_bars(connection, job_ids, _FEW)
    unclear = [job_id for job_id, bars in few.items() if len(bars) == _FEW and _streak(bars)[1]]
    return {**few, **latest_bars(connection, unclear, MOST_RUNS)}


def _streak(latest: Iterable[E]) -> tuple[list[E], bool]:
    """Those that went wrong since the last that succeeded, and whether there is none of these."""
    decided = [each for each in latest if each.in_trouble or each.status is Status.SUCCEEDED]
    streak = list(takewhile(lambda each: each.in_trouble, decided))
    return streak, len(streak) == len(decided)


def _of_ledger(connection: Connection, found: Mapping[int, tuple[list[Bar], bool]]) -> Mapping[int, Streak]:
    if not found:
        return {}
    wanted = select_runs().where(runs.c.id.in_(sorted(bars[0].id for bars, _ in found.values())))
    latest = {run.job_id: run for run in ledger_records(connection, wanted)}
    several = {bars[-1].id for bars, _ in found.values() if len(bars) > 1}
    firsts = completions(connection, several)
    return {
        job_id: Streak(
            latest[job_id], firsts.get(bars[-1].id, latest[job_id].completed_at), len(bars), more=more
        )
        for job_id, (bars, more) in found.items()
    }


def _with_inherited(connection: Connection, job_id: int) -> Mapping[int, Streak]:
    page = runs_of_job(connection, job_id, MOST_RUNS)
    streak, open_ended = _streak(page.runs)
    if not streak:
        return {}
    more = open_ended and page.older is not None
    return {job_id: Streak(streak[0], streak[-1].completed_at, len(streak), more)}
