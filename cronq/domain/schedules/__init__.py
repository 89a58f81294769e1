"""When jobs run: every kind of schedule behind one contract, and the texts and keys that say which.

`interface` is the contract. `intervals` and `cron` have slots of their own; `union`, `windows` and `jitter`
make new schedules of others. `text` reads one schedule, and `specification` all that a job says.
"""

from cronq.domain.schedules.interface import Schedule, previous_slot, step_after
from cronq.domain.schedules.intervals import RepeatingInterval, fixed_interval
from cronq.domain.schedules.specification import Specification, parse_schedule

__all__ = [
    "RepeatingInterval",
    "Schedule",
    "Specification",
    "fixed_interval",
    "parse_schedule",
    "previous_slot",
    "step_after",
]
