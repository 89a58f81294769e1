"""Jobs of a history, and the slots that they have by plain arithmetic: no code of cronq's computes one."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import AfterSame, CatchUp, OnLost, Overlap, Rules
from cronq.domain.runs import Status

STEPS = 5, 7, 10, 15, 30, 60, 240
"""Minutes from slot to slot."""
HOUR = 60

MILLENNIUM = datetime(2001, 1, 1)
"""Where `every` begins to count, and a time at which every cron expression of these jobs has a slot."""

COMMANDS = "1 s", "20 s", "90 s exit 3", "missing", "250 s", "600 s", "400 s deaf"
#: Of jobs that have a slot only every hour or less often.
LONG_COMMANDS = *COMMANDS, "2000 s", "2000 s deaf", "7000 s exit 1"
#: Of jobs that replace what runs.
UNDYING = "900 s undying", "2400 s undying"
#: What the jobs ask for. Each name keeps its rules, so that it is plain what holds for a run of it.
RULES: dict[str, Rules] = {
    "job 0": Rules(on_lost=OnLost.RERUN),
    "job 1": Rules(OnLost.RERUN, overlap=Overlap.SKIP, retries=1, retry_delay=timedelta(minutes=3)),
    "job 2": Rules(overlap=Overlap.QUEUE, on_lost=OnLost.RERUN, deadline=timedelta(minutes=4)),
    "job 3": Rules(
        overlap=Overlap.REPLACE, retries=2, retry_backoff=3, catch_up=CatchUp.NONE,
        timeout=timedelta(minutes=5), kill_grace=timedelta(seconds=90),
    ),
    "job 4": Rules(OnLost.RERUN, max_running=2, catch_up=CatchUp.ALL, catch_up_limit=4),
    "job 5": Rules(
        on_lost=OnLost.FAIL, retries=1, deadline=timedelta(minutes=20), priority=7,
        timeout=timedelta(minutes=4),
    ),
    "job 6": Rules(on_lost=OnLost.RERUN, timeout=timedelta(hours=1)),
    "job 7": Rules(on_lost=OnLost.RERUN),
    "after 0": Rules(on_lost=OnLost.RERUN, after=("job 0",)),
    "after 0 and 7": Rules(after=("job 0", "job 7"), overlap=Overlap.SKIP, retries=1),
    "a day of 2": Rules(
        OnLost.RERUN, after=("after 0", "job 2"), after_same=AfterSame.DAY, overlap=Overlap.REPLACE,
    ),
    "after 4, and by itself": Rules(after=("job 4",), retries=1),
}  # fmt: skip
NAMES = tuple(RULES)
#: What runs only after others.
UNSCHEDULED = {"after 0", "after 0 and 7", "a day of 2"}


def may_follow(name: str, status: Status) -> bool:
    """Whether there may be another attempt after one that came to that end."""
    rules = RULES[name]
    if status is Status.LOST:
        return rules.on_lost is OnLost.RERUN or (rules.on_lost is None and rules.retries > 0)
    return status in {Status.FAILED, Status.TIMED_OUT} and rules.retries > 0


def must_follow(name: str, status: Status, tries: int) -> bool:
    """Whether there has to be another attempt after one that was the last of so many."""
    return status in {Status.FAILED, Status.TIMED_OUT} and tries <= RULES[name].retries


def longest(name: str) -> timedelta | None:
    """How long a command of it may run when all goes well; None: as long as it likes."""
    rules = RULES[name]
    return None if rules.timeout is None else rules.timeout + rules.kill_grace


def at_once(name: str) -> int | None:
    """How many runs of it may be running at once; None: any number."""
    rules = RULES[name]
    return rules.max_running if rules.overlap is Overlap.ALLOW else 1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every slot is `first + n * step`."""

    first: datetime
    step: timedelta

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots with `after` < slot <= `until`."""
        slot = self.first + max(0, (after - self.first) // self.step + 1) * self.step
        while slot <= until:
            yield slot
            slot += self.step


@dataclass(frozen=True, slots=True)
class Term:
    """A job as it was from one instant to another; both are times of the database."""

    #: None: it runs only after others.
    rhythm: Rhythm | None
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Life:
    """What a job of one name was, from the first time on; and None while it is removed."""

    terms: list[Term] = field(default_factory=list)
    now: JobDefinition | None = None

    def change(self, new: JobDefinition | None, at: datetime) -> None:
        """It becomes this, or is removed."""
        if new == self.now:
            return
        if self.now is not None:
            last = self.terms[-1]
            self.terms[-1] = Term(last.rhythm, last.since, at)
        if new is not None:
            self.terms.append(Term(rhythm_of(new), at))
        self.now = new

    def slots(self, until: datetime) -> Iterator[datetime]:
        """Every slot that it should have a row for."""
        for term in self.terms:
            if term.rhythm is not None:
                yield from term.rhythm.between(term.since, min(until, term.until or until))

    def is_there(self, at: datetime) -> bool:
        """Whether it is not removed then."""
        return any(term.since < at < (term.until or datetime.max) for term in self.terms)

    def removed_after(self, at: datetime) -> datetime:
        """When it was removed for the first time after that."""
        ends = [term.until for term in self.terms if term.until is not None and term.until > at]
        goes_on = {term.since for term in self.terms}
        return min((end for end in ends if end not in goes_on), default=datetime.max)

    def step(self, slot: datetime) -> timedelta:
        """How far it is from this slot to the next of the same term."""
        rhythms = (t.rhythm for t in self.terms if t.since < slot <= (t.until or datetime.max))
        return next(rhythm.step for rhythm in rhythms if rhythm is not None)


def rhythm_of(job: JobDefinition) -> Rhythm | None:
    """What `any_job` wrote."""
    if job.schedule is None:
        return None
    if job.schedule.startswith("every"):
        return Rhythm(MILLENNIUM, timedelta(minutes=_minutes(job.schedule.removeprefix("every "))))
    if job.schedule.startswith("*"):
        return Rhythm(MILLENNIUM, timedelta(minutes=int(job.schedule.removeprefix("*/").split()[0])))
    _, start, duration = job.schedule.split("/")
    return Rhythm(datetime.fromisoformat(start.removesuffix("Z")), timedelta(minutes=_minutes(duration)))


def _minutes(duration: str) -> int:
    return int(duration.removeprefix("PT").removesuffix("M"))


def any_job(chance: random.Random, name: str, now: datetime) -> JobDefinition:
    """A job of that name, which began some time ago or begins soon."""
    if name in UNSCHEDULED:
        return JobDefinition(name, None, chance.choice(COMMANDS), rules=RULES[name])
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=chance.randint(-300, 90))
    step = chance.choice(STEPS)
    forms = [f"R/{start.isoformat()}Z/PT{step}M", f"every PT{step}M"]
    # Only these steps of cron are even.
    schedule = chance.choice([*forms, f"*/{step} * * * *"] if step in {5, 10, 15, 30} else forms)
    commands = LONG_COMMANDS if step >= HOUR else COMMANDS
    command = chance.choice(commands + UNDYING if RULES[name].overlap is Overlap.REPLACE else commands)
    return JobDefinition(name, schedule, command, rules=RULES[name])


def any_document(
    chance: random.Random, names: Iterable[str], current: Iterable[JobDefinition], now: datetime
) -> tuple[JobDefinition, ...]:
    """The next document: most jobs as they are, some changed, some removed, some back or new."""
    found = {job.name: job for job in current}
    wanted: list[JobDefinition] = []
    for name in names:
        before, luck = found.get(name), chance.random()
        if luck < 0.15 or not {job.name for job in wanted}.issuperset(RULES[name].after):
            continue
        if before is None or luck < 0.4:
            wanted.append(any_job(chance, name, now))
        else:
            wanted.append(before)
    return tuple(wanted)
