"""Whether slots that nobody took in time were caught up as their job says, those of a pause left aside."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cronq.domain.rules import CatchUp
from cronq.domain.runs import Status
from tests.simulation.history import History
from tests.simulation.jobs import RULES

_IN_TIME = timedelta(minutes=1)


def faults_of_catch_up(history: History, rows: list[Any]) -> Iterator[str]:
    """All slots of a job that were taken at one instant are judged together."""
    taken: dict[tuple[str, datetime], list[Any]] = defaultdict(list)
    for row in rows:
        # What has run after others already is not taken again.
        if row.slot is not None and row.attempt == 1 and row.cause is None and not RULES[row.name].after:
            taken[row.name, row.queued_at].append(row)
    for (name, at), of_one in taken.items():
        missed = [row for row in of_one if row.status == Status.MISSED and "deadline" not in row.reason]
        late = any(row.status == Status.MISSED and "deadline" in row.reason for row in of_one)
        run = sorted(
            row.slot for row in of_one if row.status != Status.MISSED and not _was_passed(history, row)
        )
        last_missed = max((row.last_slot or row.slot for row in missed), default=None)
        for row in of_one:
            if row.status == Status.SKIPPED and row.slots > 1 and not _is_paused(history, row):
                yield f"{name} from {row.slot} to {row.last_slot} is skipped, and not all of it was a pause"
        for fault in _judge(name, at, run, last_missed, some_late=late):
            yield f"of the slots of {name} that were taken at {at}, {fault}"


def _judge(
    name: str, at: datetime, run: list[datetime], missed: datetime | None, *, some_late: bool
) -> Iterator[str]:
    """What was to run, and the latest slot that was missed."""
    rules = RULES[name]
    most = rules.catch_up_limit if rules.catch_up is CatchUp.ALL else 1
    if len(run) > most:
        yield f"{len(run)} were to run, and {most} are allowed"
    if rules.catch_up is CatchUp.NONE:
        if any(slot < at - _IN_TIME for slot in run):
            yield f"that of {run[0]} was to run, which was missed"
        if missed is not None and missed >= at - _IN_TIME:
            yield f"that of {missed} was missed, which was in time"
    elif missed is not None:
        if len(run) < most and not some_late:
            yield f"{len(run)} were to run, and there were {most}"
        if run and missed > run[0]:
            yield f"that of {missed} was missed, and that of {run[0]} was to run"


def _was_passed(history: History, row: Any) -> bool:
    """Whether people did not want that slot from the start."""
    if row.status != Status.SKIPPED:
        return False
    return row.slots > 1 or _is_paused(history, row) or row.reason == "somebody asked to skip it"


def _is_paused(history: History, row: Any) -> bool:
    """Whether all slots of the row are in one pause of its job."""
    last = row.last_slot or row.slot
    return any(
        pause.name == row.name and pause.since < row.slot and last <= pause.until
        for pause in history.wishes.pauses()
    )
