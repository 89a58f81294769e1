"""What people have asked for in a history, and what they were told."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from cronq.domain.requests import RunRequest


@dataclass(frozen=True, slots=True)
class Pause:
    """A job whose slots between these instants, which are times of the database, are not to run."""

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Backfill:
    """Slots from one instant to another, both included, that are to run if they have not."""

    name: str
    since: datetime
    until: datetime
    asked_at: datetime
    at_once: int


@dataclass(slots=True)
class Wishes:
    """All that people have asked for, of jobs and runs."""

    #: How often the flag of 0.27 was set: as long as no injector has seen it, it is one run.
    flags: int = 0
    #: By run id: what runs by hand are to be given.
    by_hand: dict[str, RunRequest] = field(default_factory=dict)
    #: The ids of runs that were killed before they had started, as somebody was told.
    called_off: list[str] = field(default_factory=list)
    #: By id.
    backfills: dict[int, Backfill] = field(default_factory=dict)
    _pauses: dict[str, list[Pause]] = field(default_factory=dict)

    def pause(self, pause: Pause) -> None:
        """It takes the place of the one before it."""
        self.resume(pause.name, pause.since)
        self._pauses.setdefault(pause.name, []).append(pause)

    def resume(self, name: str, at: datetime) -> None:
        """The pause of a job ends then, if not before."""
        if pauses := self._pauses.get(name):
            pauses[-1] = replace(pauses[-1], until=min(pauses[-1].until, at))

    def pauses(self) -> Iterator[Pause]:
        """Of all jobs."""
        for of_one in self._pauses.values():
            yield from of_one
