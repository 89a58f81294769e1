"""What needs somebody, in words: what is wrong, and the next thing to do."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cronq.database.reading.overview import ENOUGH, Numbers
from cronq.domain.concerns import Concern, ConcernKind
from cronq.domain.jobs import DEFAULT_ROUTING_KEY
from cronq.domain.standing import DaemonKind
from cronq.web.words.times import rough

#: In a title, which has little room.
_MOST_IN_A_TITLE = 99


@dataclass(frozen=True, slots=True)
class Told:
    """A concern as a person reads it."""

    title: str
    #: What to do next.
    text: str
    #: To be typed into a shell.
    command: str | None = None
    #: Where there is more.
    link: str | None = None
    #: How grave it is: a class of the style sheet.
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation, and how it is."""

    name: str
    #: A class of the style sheet.
    tone: str
    text: str


def many(count: int, most: int = ENOUGH) -> str:
    """A number, and whether there may be more: `12`, `1,000+`."""
    return f"{count:,}+" if count >= most else f"{count:,}"


def in_title(count: int) -> str:
    """What stands before the title of a page on which so many things need somebody: `(3) `."""
    if not count:
        return ""
    return f"({min(count, _MOST_IN_A_TITLE)}{'+' if count > _MOST_IN_A_TITLE else ''}) "


def summary(count: int) -> str:
    """What a screen reader says of it."""
    if not count:
        return "Nothing needs attention."
    return f"{many(count)} {'thing needs' if count == 1 else 'things need'} attention."


def told(concern: Concern, now: datetime) -> Told:
    """A concern in words."""
    return _TOLD[concern.kind](concern, now)


def parts(numbers: Numbers) -> tuple[Part, ...]:
    """How injectors, results, broker and database are."""
    standing = numbers.standing
    broker = {
        True: Part("broker", "warn" if standing.cut_off else "good", "connected"),
        False: Part("broker", "bad", "not reached"),
        None: Part("broker", "idle", "not known"),
    }[standing.broker_is_up]
    database = Part("database", "good", "answers")  # else there would be no page
    return (_part(numbers, DaemonKind.INJECTOR), _part(numbers, DaemonKind.RESULTS), broker, database)


def _part(numbers: Numbers, kind: DaemonKind) -> Part:
    alive, silent = numbers.standing.alive_of(kind), numbers.standing.silent_of(kind)
    if alive:
        up = "up" if len(alive) == 1 else f"{len(alive)} up"
        return Part(kind, "warn" if silent else "good", f"{up}, {len(silent)} gone" if silent else up)
    if silent:
        return Part(kind, "bad", f"not heard of for {rough(numbers.now - silent[0].seen_at)}")
    return Part(kind, "bad" if _is_used(numbers) else "idle", "not heard of yet")


def _is_used(numbers: Numbers) -> bool:
    return any(each.kind in {ConcernKind.NO_INJECTOR, ConcernKind.NO_RESULTS} for each in numbers.concerns)


def _missing(name: str, consequence: str, command: str) -> Callable[[Concern, datetime], Told]:
    def tell(concern: Concern, now: datetime) -> Told:
        since = f" for {rough(now - concern.since)}" if concern.since else " yet"
        return Told(f"No {name} has been heard of{since}", consequence, command)

    return tell


def _no_broker(_concern: Concern, _now: datetime) -> Told:
    return Told(
        "No daemon reaches the broker",
        "Slots stay unclaimed until one does. Is RabbitMQ up? The logs of the daemons say what they tried.",
    )


def _late(concern: Concern, now: datetime) -> Told:
    since = f"{rough(now - concern.since)}" if concern.since else "long"
    return Told(
        f"{_jobs(concern)} due for up to {since}, and no injector takes {_them(concern)}",
        "The log of cronq-injector says what it waits for.",
        link="/upcoming",
    )


def _no_runner(concern: Concern, _now: datetime) -> Told:
    waiting = f"{_runs(concern)}. " if concern.count else ""
    return Told(
        "No runner is up",
        f"{waiting}Start one on any host that reaches the broker:",
        "cronq-runner",
        "/runners",
    )


def _unserved(concern: Concern, now: datetime) -> Told:
    waiting = f" Runs have been waiting for {rough(now - concern.since)}." if concern.since else ""
    if concern.count == 1:
        (key,) = concern.subjects
        jobs = "1 job has" if key.count == 1 else f"{many(key.count or 0)} jobs have"
        title = f"No runner is up that serves the routing key {key.name}"
        return Told(title, f"{jobs} it.{waiting} Start one:", _runner_for(key.name), "/runners")
    return Told(
        f"No runner is up that serves one of {concern.count} routing keys",
        f"Jobs have them.{waiting} Start runners with --queue, or --routing-key: {_named(concern)}.",
        link="/runners",
    )


def _waiting(concern: Concern, now: datetime) -> Told:
    since = f", the first for {rough(now - concern.since)}" if concern.since else ""
    return Told(
        f"{_runs(concern)} for a free runner{since}",
        "Those that serve the routing key are busy, or take from another queue. Start another one, or let one"
        f" run more at once (CRONQ_CONCURRENCY). Routing keys: {_named(concern)}.",
        link="/runners",
        tone="warn",
    )


def _named(concern: Concern) -> str:
    return ", ".join(f"{each.name} ({many(each.count or 0)})" for each in concern.subjects)


def _failing(concern: Concern, _now: datetime) -> Told:
    return Told(
        f"{_jobs(concern)} failing",
        "Look at their last words. Run them again when the cause is gone, or say that you know.",
        link="/failures",
    )


def _lost(concern: Concern, _now: datetime) -> Told:
    jobs = "A run of 1 job is" if concern.count == 1 else f"Runs of {many(concern.count)} jobs are"
    return Told(
        f"{jobs} lost",
        "Nobody knows how they ended. Look at the runner, and run again what may run twice.",
        link="/failures?status=lost",
        tone="warn",
    )


def _unroutable(concern: Concern, _now: datetime) -> Told:
    jobs = "A run of 1 job was" if concern.count == 1 else f"Runs of {many(concern.count)} jobs were"
    return Told(
        f"{jobs} unroutable",
        "No queue is bound to the routing key. Start a runner that serves it, and then run them again.",
        link="/failures?status=unroutable",
    )


def _gone(concern: Concern, now: datetime) -> Told:
    names = ", ".join(each.name for each in concern.subjects)
    since = f" for {rough(now - concern.since)}" if concern.since else ""
    return Told(
        f"Not heard of{since}: {names}",
        "Others do its work. Start it again; if it is gone for good, it is forgotten after a day.",
        tone="warn",
    )


def _cut_off(concern: Concern, _now: datetime) -> Told:
    names = ", ".join(each.name for each in concern.subjects)
    return Told(f"Not connected to the broker: {names}", "Its log says why. Others do its work.", tone="warn")


def _jobs(concern: Concern) -> str:
    return "1 job is" if concern.count == 1 else f"{many(concern.count)} jobs are"


def _runs(concern: Concern) -> str:
    return "1 run waits" if concern.count == 1 else f"{concern.count:,} runs wait"


def _them(concern: Concern) -> str:
    return "it" if concern.count == 1 else "them"


def _runner_for(key: str) -> str:
    return "cronq-runner" if key == DEFAULT_ROUTING_KEY else f"cronq-runner --queue {shlex.quote(key)}"


_TOLD: Mapping[ConcernKind, Callable[[Concern, datetime], Told]] = {
    ConcernKind.NO_INJECTOR: _missing("injector", "No slot is taken until one is up:", "cronq-injector"),
    ConcernKind.NO_RESULTS: _missing(
        "results daemon", "Nothing starts, and nothing is recorded, until one is up:", "cronq-results"
    ),
    ConcernKind.NO_BROKER: _no_broker,
    ConcernKind.LATE: _late,
    ConcernKind.NO_RUNNER: _no_runner,
    ConcernKind.UNSERVED: _unserved,
    ConcernKind.WAITING: _waiting,
    ConcernKind.FAILING: _failing,
    ConcernKind.LOST: _lost,
    ConcernKind.UNROUTABLE: _unroutable,
    ConcernKind.DAEMON_GONE: _gone,
    ConcernKind.CUT_OFF: _cut_off,
}
