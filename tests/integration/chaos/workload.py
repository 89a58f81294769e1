"""The jobs of the chaos, what their commands do, and their slots: by plain arithmetic, not by cronq's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Definition:
    """What a job is, from one document to the next."""

    name: str
    #: Of all definitions of a plan, no two have the same; each command writes it down.
    version: int
    #: When its grid of slots begins, and the whole seconds from one slot to the next.
    start: datetime
    interval: int
    #: How long the command runs (seconds), and what it ends with.
    runs_for: float
    exit_code: int

    @property
    def document(self) -> dict[str, str]:
        """The job in a category document."""
        schedule = f"R/{self.start.isoformat()}Z/PT{self.interval}S"
        return {"name": self.name, "schedule": schedule, "command": self.command}

    @property
    def command(self) -> str:
        """Writes one line into a file of the job's own, before anything else; see `read_line`."""
        line = f"$CRONQ_RUN_ID $CRONQ_SLOT $CRONQ_ATTEMPT {self.version}"
        nap = f"; sleep {self.runs_for}" if self.runs_for else ""
        return f'echo "{line}" >> "$EVIDENCE/{self.name}"{nap}; exit {self.exit_code}'

    def slots(self, after: datetime, until: datetime) -> list[datetime]:
        """Its slots with `after` < slot <= `until`."""
        step = timedelta(seconds=self.interval)
        first = max(0, (after - self.start) // step + 1)
        last = (until - self.start) // step
        return [self.start + n * step for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran, by what it wrote itself."""

    name: str
    run_id: str
    #: None when it was asked for by hand.
    slot: datetime | None
    attempt: int
    version: int


def read_line(name: str, line: str) -> Ran:
    """What the command of that job wrote. Raises ValueError when no command writes so."""
    run_id, slot, attempt, version = line.split(" ")
    instant = datetime.fromisoformat(slot).replace(tzinfo=None) if slot else None
    return Ran(name, run_id, instant, int(attempt), int(version))


@dataclass(frozen=True, slots=True)
class Replacement:
    """A category that was replaced at an instant between these two: the first try, and the answer."""

    category: str
    begun: datetime
    ended: datetime
    jobs: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A run by hand that the web said it had noted, after so many tries."""

    name: str
    tries: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of one job at an instant between these two: from then on it is `new` and no more `old`."""

    begun: datetime
    ended: datetime
    old: Definition | None
    new: Definition | None


def turns_of(replacements: Iterable[Replacement]) -> dict[str, list[Turn]]:
    """What each job was changed to, in the order of the answers; a job whose definition stays has no turn."""
    categories: dict[str, dict[str, Definition]] = {}
    turns: dict[str, list[Turn]] = {}
    for each in replacements:
        before = categories.get(each.category, {})
        categories[each.category] = after = {job.name: job for job in each.jobs}
        for name in before.keys() | after.keys():
            old, new = before.get(name), after.get(name)
            if old != new:
                turns.setdefault(name, []).append(Turn(each.begun, each.ended, old, new))
    return turns
