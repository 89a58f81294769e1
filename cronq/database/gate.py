"""What the rules say once more to a run that is about to start."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection

from cronq.database.backfilling import called_off
from cronq.database.batch import RunBatch
from cronq.database.limits import open_runs
from cronq.domain.backfilling import CALLED_OFF
from cronq.domain.deadlines import due_at, why_too_late
from cronq.domain.overlap import STARTS, Admission, OpenRun, Verdict, admit_start, most_at_once
from cronq.domain.reports import RunState
from cronq.domain.runs import Cause, Status


class Gate:
    """Sees what else is running of the jobs that have a rule about it, this batch included."""

    def __init__(self, connection: Connection, batch: RunBatch, asking: Iterable[str]) -> None:
        """`asking`: the ids of the runs that ask to start."""
        self._batch = batch
        asking = [run_id for run_id in asking if run_id in batch.runs]
        filling = [run_id for run_id in asking if batch.runs[run_id].cause == Cause.BACKFILL]
        # As one that its runner handed back, or an attempt that was made at that very moment.
        self._called_off = called_off(connection, filling)
        asked = {batch.runs[run_id].job_id for run_id in asking}
        limited = {
            job_id for job_id in asked & batch.rules.keys() if most_at_once(batch.rules[job_id]) is not None
        }
        self._others: dict[int, list[OpenRun]] = {}
        self._in_batch: dict[int, list[str]] = defaultdict(list)
        if limited:
            self._others = open_runs(connection, limited, batch.now, running_only=True)
            for run in batch.runs.values():
                self._in_batch[run.job_id].append(run.run_id)

    def verdict(self, run: RunState) -> Verdict:
        """What becomes of a queued run that asks to start now."""
        if run.run_id in self._called_off:
            return Verdict(Admission.SKIP, CALLED_OFF)
        pause = self._batch.pauses.get(run.job_id)
        asked_for = run.slot is None or run.cause == Cause.BACKFILL
        if pause is not None and not asked_for and self._batch.now < pause.end:
            return Verdict(Admission.SKIP, pause.reason)
        rules = self._batch.rules.get(run.job_id)
        if rules is None:
            return STARTS
        due = due_at(run.slot, run.attempt, run.cause, run.queued_at)
        if late := why_too_late(rules, due, run.cause, self._batch.now):
            return Verdict(Admission.MISS, late)
        running = self._running(run) if self._in_batch else []
        return admit_start(rules, run.slot, running, patient=run.cause == Cause.BACKFILL)

    def _running(self, run: RunState) -> list[OpenRun]:
        others = [each for each in self._others.get(run.job_id, ()) if each.run_id not in self._batch.runs]
        for run_id in self._in_batch[run.job_id]:
            other = self._batch.runs[run_id]
            if other.status is Status.RUNNING and other.run_id != run.run_id:
                others.append(OpenRun(other.run_id, other.status, other.slot, host=other.host))
        return others
