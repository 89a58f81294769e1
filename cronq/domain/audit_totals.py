"""What an audit comes to, in numbers and in one line."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from cronq.domain.findings import at
from cronq.domain.runs import Status


@dataclass(slots=True)
class Totals:
    """What has been audited so far."""

    jobs: int = 0
    #: What the schedules asked for, and how much of that has no row in the ledger.
    slots: int = 0
    slots_without_row: int = 0
    #: What somebody or something else asked for: people, jobs that had succeeded before, backfills.
    by_hand: int = 0
    after_others: int = 0
    backfilled: int = 0
    #: Attempts after the first, at any of these.
    further_attempts: int = 0
    #: How many of all these have come to which status; a row for several slots counts as often as it has.
    runs: Counter[Status] = field(default_factory=Counter)
    #: Rows of the ledger that were read.
    rows: int = 0
    findings: int = 0

    @property
    def rows_without_slot(self) -> int:
        """What the ledger has, and nothing of the above accounts for; there is a finding for it."""
        asked_for = self.slots + self.by_hand + self.after_others + self.backfilled + self.further_attempts
        return self.runs.total() - (asked_for - self.slots_without_row)

    def in_words(self) -> str:
        """What was audited, and what became of it: the numbers of both add up to the same."""
        parts = [_amount(self.jobs, "job"), _amount(self.slots, "slot")]
        parts += [
            words
            for count, words in (
                (self.slots_without_row, f"{self.slots_without_row:,} of them without a row"),
                (self.by_hand, f"{_amount(self.by_hand, 'run')} by hand"),
                (self.after_others, f"{_amount(self.after_others, 'run')} after other jobs"),
                (self.backfilled, _amount(self.backfilled, "backfilled run")),
                (self.further_attempts, _amount(self.further_attempts, "further attempt")),
                (self.rows_without_slot, f"{_amount(self.rows_without_slot, 'row')} without a slot"),
            )
            if count
        ]
        statuses = [f"{self.runs[each]:,} {each.replace('_', ' ')}" for each in Status if self.runs[each]]
        return f"{', '.join(parts)} ({', '.join(statuses) or 'no runs'})"


def verdict(findings: int) -> str:
    """Whether there is anything to look at."""
    return _amount(findings, "finding") if findings else "all is accounted for"


def period_in_words(since: datetime | None, until: datetime, pruned_until: datetime | None) -> str:
    """Which time was audited, and why none before."""
    if pruned_until is not None:
        return f"until {at(until)}; before {at(pruned_until)} the ledger has been pruned"
    return f"until {at(until)}" if since is None else f"from {at(since)} until {at(until)}"


def _amount(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
