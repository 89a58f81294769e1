"""What an audit finds: a kind for programs, the ids of what is concerned, and a sentence for a person."""

import enum
from dataclasses import dataclass
from datetime import datetime


class Kind(enum.StrEnum):
    """What is wrong."""

    #: Slots that have no row in the ledger.
    MISSING = "missing"
    #: Slots that are due and that no injector has claimed yet.
    UNCLAIMED = "unclaimed"
    #: A row for what is no slot of its job.
    UNKNOWN_SLOT = "unknown_slot"
    #: A row for several slots that are not the ones it says.
    WRONG_RANGE = "wrong_range"
    #: Two rows for one slot, though no one asked for another attempt.
    DOUBLED = "doubled"
    #: What ran more than once, though no one asked for it.
    STARTED_TWICE = "started_twice"
    #: A run that has been queued, or running, for too long.
    WITHOUT_END = "without_end"
    #: A schedule that cannot be read, so that its slots are not known.
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class JobName:
    """A job as a person calls it."""

    #: None when 0.27 has forgotten it.
    id: int | None
    category: str | None = None
    #: None when its row is gone.
    name: str | None = None

    def __str__(self) -> str:
        if self.id is None:
            return "a job that 0.27 removed"
        if self.name is None:
            return f"job {self.id}"
        return f"{'' if self.category is None else f'{self.category}/'}{self.name} (job {self.id})"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    job: JobName
    sentence: str
    #: The slot that is concerned, or the first of them; None for a run by hand.
    slot: datetime | None = None
    #: Of several slots: the last of them, and how many they are.
    last_slot: datetime | None = None
    slots: int = 1
    run_id: str | None = None

    def __str__(self) -> str:
        run = "" if self.run_id is None else f", run {self.run_id}"
        return f"{self.job}{run}: {self.sentence}"


def at(moment: datetime) -> str:
    """A time, with its fraction if it has one."""
    return f"{moment.isoformat(' ')} UTC"


def slots_in_words(first: datetime, last: datetime, count: int) -> str:
    """One slot, or several: the beginning of a sentence."""
    if count == 1:
        return f"The slot {at(first)}"
    return f"{count:,} slots from {at(first)} to {at(last)}"
