"""When jobs run: every kind of schedule behind one contract, and the texts and keys that say which.

`interface` is the contract. `intervals` and `cron` have slots of their own; `union`, `windows` and `jitter`
make new schedules of others. `text` reads one schedule, and `specification` all that a job says. `handover`
and `replacing` are for what becomes of slots when a job's schedule changes.
"""

from cronq.domain.schedules.interface import Schedule, previous_slot, step_after
from cronq.domain.schedules.intervals import RepeatingInterval, fixed_interval
from cronq.domain.schedules.replacing import may_have_jitter, text_in_place_of, text_of_document
from cronq.domain.schedules.specification import LONGEST_JITTER, Specification, parse_schedule

__all__ = [
    "LONGEST_JITTER",
    "RepeatingInterval",
    "Schedule",
    "Specification",
    "fixed_interval",
    "may_have_jitter",
    "parse_schedule",
    "previous_slot",
    "step_after",
    "text_in_place_of",
    "text_of_document",
]
