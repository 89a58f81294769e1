"""Writing a batch of reports into the ledger, in one transaction, and deciding which starts are granted."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from cronq.database.attempts import blocked, postpone
from cronq.database.batch import RunBatch
from cronq.database.gate import Gate
from cronq.domain.grants import Grant
from cronq.domain.messages import STARTED_TWICE, Report, ResultMessage
from cronq.domain.overlap import Admission, Verdict
from cronq.domain.reports import RunState, apply_report, grant, is_of_another_start, refuse
from cronq.domain.runs import Status


def record_reports(connection: Connection, messages: Sequence[ResultMessage]) -> list[Grant | None]:
    """Write what these messages report; gives, for each that asks for a grant, the answer.

    The same messages again, or in another order, leave the same rows.
    """
    others = {message.run_id: message.job_id for message in messages if not message.of_a_grant}
    batch = RunBatch(connection, {message.run_id for message in messages}, others)
    asking = [message for message in messages if message.asks]
    gate = Gate(connection, batch, {message.run_id for message in asking})
    too_early = _too_early(connection, batch, asking)
    answers = [_apply(batch, gate, message, too_early.get(message.run_id)) for message in messages]
    batch.write()
    postpone(connection, too_early, batch.now)
    return answers


def _too_early(connection: Connection, batch: RunBatch, asking: Sequence[ResultMessage]) -> dict[str, str]:
    """Why attempts after the first must not start yet."""
    askers: dict[str, set[str]] = {
        message.run_id: set()
        for message in asking
        if message.run_id in batch.runs and batch.runs[message.run_id].attempt > 1
    }
    if not askers:
        return {}
    for message in asking:
        if message.runner and message.run_id in askers:
            askers[message.run_id].add(message.runner[:64])
    return {
        run_id: f"the attempt before it may still be running on {host}, which is back"
        for run_id, host in blocked(connection, askers).items()
    }


def _apply(batch: RunBatch, gate: Gate, message: ResultMessage, too_early: str | None) -> Grant | None:
    run = batch.runs.get(message.run_id)
    if run is None:
        return grant(None, message)
    if message.asks and run.status is Status.QUEUED and run.job_id not in batch.removed:
        if too_early is not None:
            return refuse(message, too_early)
        verdict = gate.verdict(run)
        if verdict.admission is not Admission.START:
            return _refuse(batch, run, message, verdict)
    if is_of_another_start(run, message):
        batch.note(run, STARTED_TWICE, message.sent_at, message.host)
    moved = apply_report(run, message, batch.now, job_removed=run.job_id in batch.removed)
    batch.move(moved)
    if message.report is Report.RETURNED:
        if moved != run:
            batch.forget_start(run.run_id)
        return None
    if message.output is not None:
        batch.keep(run.run_id, message.output)
    answer = grant(moved, message) if message.asks else None
    if answer is None or answer.granted:
        batch.note(run, message.report.value, message.sent_at, message.host, message.return_code)
    return answer and replace(answer, first=answer.granted and moved != run)


def _refuse(batch: RunBatch, run: RunState, message: ResultMessage, verdict: Verdict) -> Grant:
    """By a rule: the run waits, or is over."""
    if verdict.admission is Admission.WAIT:
        batch.wait(run, verdict.reason)
    else:
        now = batch.now
        status = Status.MISSED if verdict.admission is Admission.MISS else Status.SKIPPED
        batch.move(replace(run, status=status, reason=verdict.reason, ended_at=now, recorded_at=now))
    return refuse(message, verdict.reason)
