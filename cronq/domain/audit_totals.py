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
    slots: int = 0
    by_hand: int = 0
    #: How many slots and runs by hand have come to which status. Further attempts count, too.
    runs: Counter[Status] = field(default_factory=Counter)
    #: Rows of the ledger that were read.
    rows: int = 0
    findings: int = 0

    def in_words(self) -> str:
        """What was audited, and what became of the runs."""
        parts = [_amount(self.jobs, "job"), _amount(self.slots, "slot")]
        if self.by_hand:
            parts.append(_amount(self.by_hand, "run") + " by hand")
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
