"""What programs are told of an audit, by the API and by `cronq audit --json`."""

from datetime import datetime
from typing import Any

from cronq.domain.audit_totals import Totals
from cronq.domain.findings import Finding

Shape = dict[str, Any]


def finding_shape(finding: Finding) -> Shape:
    """One thing that is wrong."""
    return {
        "kind": finding.kind,
        "job_id": finding.job.id,
        "category": finding.job.category,
        "name": finding.job.name,
        "run_id": finding.run_id,
        "slot": _time(finding.slot),
        "last_slot": _time(finding.last_slot),
        "slots": finding.slots,
        "message": finding.sentence,
    }


def totals_shape(
    totals: Totals, since: datetime | None, until: datetime, pruned_until: datetime | None
) -> Shape:
    """What was audited, and whether all is accounted for."""
    return {
        "accounted_for": not totals.findings,
        "finding_count": totals.findings,
        "from": _time(since),
        "to": _time(until),
        "pruned_until": _time(pruned_until),
        "jobs": totals.jobs,
        "slots": totals.slots,
        "slots_without_row": totals.slots_without_row,
        "runs_by_hand": totals.by_hand,
        "runs_after_others": totals.after_others,
        "backfilled_runs": totals.backfilled,
        "further_attempts": totals.further_attempts,
        "rows_without_slot": totals.rows_without_slot,
        "statuses": {status.value: count for status, count in sorted(totals.runs.items()) if count},
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
