"""Audits that somebody waits for: bounded, and in steps between which all others get their turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twisted.internet.defer import DeferredLock

from cronq.database import gateway
from cronq.database.gateway import Database
from cronq.database.reading.auditing import Audit, Question
from cronq.domain.audit_totals import Totals, period_in_words
from cronq.domain.findings import Finding
from cronq.domain.saturating import shifted
from cronq.web.actions.naming import named_job
from cronq.web.http.errors import BadRequest
from cronq.web.http.exchange import Request
from cronq.web.http.fields import moment

#: What is audited when nobody says.
USUAL = timedelta(days=1)
#: Findings that are shown.
MOST_FINDINGS = 1000
#: Reads that are made, each of about a thousand rows or some dozen jobs.
MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class AuditView:
    """What an audit has come to."""

    now: datetime
    since: datetime
    until: datetime
    pruned_until: datetime | None
    #: As it was asked for; empty: all jobs.
    job: str
    #: Whether an end was asked for, or it is now.
    ends: bool
    totals: Totals
    findings: Sequence[Finding]
    #: Whether it came to its end, or there was too much to audit.
    complete: bool

    @property
    def period(self) -> str:
        """Which time was audited."""
        return period_in_words(self.since, self.until, self.pruned_until)


class Auditor:
    """Audits one after the other, so that many who ask at once do not take all the database's time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_at_a_time = DeferredLock()

    async def audit(self, request: Request) -> AuditView:
        """Audit what the fields `from`, `to` and `job` say; raises `BadRequest` and `NotFound`."""
        now = (await self._database.read(gateway.now)).replace(microsecond=0)
        until = moment(request, "to", now)
        since = moment(request, "from", now) or shifted(until or now, -USUAL)
        if since >= min(until or now, now):
            raise BadRequest("from: there is nothing between this and the end, or now")
        job = request.fields.get("job", "").strip()
        audit = Audit(Question(since, until, await named_job(self._database, job)))
        await self._one_at_a_time.acquire()
        try:
            findings = await self._go_through(audit)
        finally:
            self._one_at_a_time.release()
        return AuditView(
            now,
            audit.since or since,
            audit.until or now,
            audit.pruned_until,
            job,
            until is not None,
            audit.totals,
            findings,
            audit.finished,
        )

    async def _go_through(self, audit: Audit) -> list[Finding]:
        findings: list[Finding] = []
        for _ in range(MOST_STEPS):
            found = await self._database.read(audit.step)
            findings += found[: MOST_FINDINGS - len(findings)]
            if audit.finished:
                break
        return findings
