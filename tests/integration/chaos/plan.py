"""What is going to happen, worked out beforehand from a seed: the faults, and the changes of the jobs.

The same seed gives the same plan. What a real system makes of it is another matter: its timing never repeats.
"""

import enum
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.integration.chaos.workload import Definition

DAEMONS = {"injector": 2, "results": 2, "runner": 3, "web": 1}
SERVERS = ("broker", "database")
USES = {"injector": SERVERS, "results": SERVERS, "runner": ("broker",), "web": ("database",)}
"""The servers that each kind of daemon is connected to, by a wire of its own."""

_ORIGIN = datetime(2000, 1, 1)
#: Most jobs have rare slots, so that many jobs are not too much for a small machine.
_INTERVALS = (1, 2, 3, *(4,) * 3, *(5,) * 24)


class Kind(enum.StrEnum):
    """A kind of fault."""

    KILL = "kill -9"
    RESTART = "SIGTERM"
    STOP = "SIGSTOP"
    #: Longer than the heartbeat of the broker's connections, and than a grant is good for.
    FREEZE = "long SIGSTOP"
    CUT = "cut"
    REFUSE = "refused"
    HANG = "hung"


PROCESS_KINDS = (Kind.KILL, Kind.RESTART, Kind.STOP, Kind.FREEZE)
WIRE_KINDS = (Kind.CUT, Kind.REFUSE, Kind.HANG)
#: How long each may last (seconds): of those that end a process or a connection, until it may come again.
_LASTING = {
    Kind.KILL: (0, 3),
    Kind.RESTART: (0, 1),
    Kind.STOP: (1, 4),
    Kind.FREEZE: (11, 14),
    Kind.CUT: (0, 0),
    Kind.REFUSE: (1, 6),
    Kind.HANG: (1, 12),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is done to a daemon, a server, or the wire between two of them (`runner 1 > broker`)."""

    #: Seconds from the beginning.
    at: float
    victim: str
    kind: Kind
    #: Seconds until it is mended.
    lasts: float


@dataclass(frozen=True, slots=True)
class Replace:
    """A category gets these jobs and no others."""

    at: float
    category: str
    jobs: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class RunNow:
    """A job is run by hand."""

    at: float
    name: str


Change = Replace | RunNow


@dataclass(frozen=True, slots=True)
class Scale:
    """How much happens."""

    #: Seconds of trouble.
    seconds: float
    jobs: int
    #: Seconds from one fault to the next, and from one change to the next, on the average.
    fault_every: float = 2.5
    change_every: float = 2.0
    jobs_in_category: int = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is going to happen."""

    #: The categories that are there when the trouble begins.
    first: tuple[Replace, ...]
    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]


def make_plan(seed: int, scale: Scale) -> Plan:
    """Work out a plan."""
    author = _Author(random.Random(f"{seed} jobs"), scale)
    first = tuple(author.first())
    return Plan(first, tuple(author.changes()), tuple(_faults(random.Random(f"{seed} faults"), scale)))


def daemons() -> list[str]:
    """The names of all daemons."""
    return [f"{role} {n}" for role, count in DAEMONS.items() for n in range(1, count + 1)]


def wires() -> list[tuple[str, str]]:
    """Which daemon is connected to which server."""
    return [(name, server) for name in daemons() for server in USES[name.split()[0]]]


def wire(daemon: str, server: str) -> str:
    """The name of a wire."""
    return f"{daemon} > {server}"


def _moments(chance: random.Random, scale: Scale, every: float) -> Iterator[float]:
    at = 0.0
    while (at := at + chance.uniform(0.5, 1.5) * every) < scale.seconds:
        yield round(at, 3)


def _faults(chance: random.Random, scale: Scale) -> Iterator[Fault]:
    cards = _deal(chance)
    free = dict.fromkeys((*daemons(), *SERVERS, *itertools.starmap(wire, wires())), 0.0)
    for at in _moments(chance, scale, scale.fault_every):
        victims, kind = next(cards)
        # Who is in trouble already is left alone, as long as there is somebody else.
        victim = chance.choice([each for each in victims if free[each] <= at] or victims)
        lasts = round(chance.uniform(*_LASTING[kind]), 3)
        free[victim] = max(at, free[victim]) + lasts
        yield Fault(at, victim, kind, lasts)


Card = tuple[Sequence[str], Kind]


def _deal(chance: random.Random) -> Iterator[Card]:
    """Cards for ever: first each kind once, to servers as well; then each kind to each sort of victim."""
    yield from _shuffled(chance, _few())
    while True:
        yield from _shuffled(chance, _all())


def _few() -> Iterator[Card]:
    yield from (([wire(*each) for each in wires()], kind) for kind in WIRE_KINDS)
    yield from ((daemons(), kind) for kind in PROCESS_KINDS)
    yield [name for name in daemons() if name.startswith("runner")], Kind.KILL
    yield from (([server], kind) for server in SERVERS for kind in (Kind.KILL, Kind.RESTART))


def _all() -> Iterator[Card]:
    for role, servers in USES.items():
        same = [name for name in daemons() if name.startswith(role)]
        yield from ((same, kind) for kind in PROCESS_KINDS)
        for server in servers:
            yield from (([wire(each, server) for each in same], kind) for kind in WIRE_KINDS)
    yield from (([server], kind) for server in SERVERS for kind in PROCESS_KINDS)


def _shuffled(chance: random.Random, cards: Iterable[Card]) -> list[Card]:
    shuffled = list(cards)
    chance.shuffle(shuffled)
    return shuffled


class _Author:
    """Invents jobs and changes them."""

    def __init__(self, chance: random.Random, scale: Scale) -> None:
        self._chance = chance
        self._scale = scale
        self._versions = itertools.count(1)
        # By category and name. What was removed may come back.
        self._jobs: dict[str, dict[str, Definition]] = {}
        self._removed: dict[str, list[str]] = {}
        self._asked: set[str] = set()

    def first(self) -> Iterator[Replace]:
        """The categories to begin with."""
        size = self._scale.jobs_in_category
        for n in range(1, -(-self._scale.jobs // size) + 1):
            names = [f"c{n}-j{m}" for m in range(1, size + 1)]
            self._jobs[f"c{n}"] = {name: self._invent(name) for name in names}
            self._removed[f"c{n}"] = []
            yield self._document(0.0, f"c{n}")

    def changes(self) -> Iterator[Change]:
        """What is changed later, in the order of time."""
        for at in _moments(self._chance, self._scale, self._scale.change_every):
            if self._chance.random() < 0.4:
                yield RunNow(at, self._someone())
            else:
                category = self._chance.choice(list(self._jobs))
                self._change(category)
                yield self._document(at, category)

    def _document(self, at: float, category: str) -> Replace:
        return Replace(at, category, tuple(self._jobs[category].values()))

    def _invent(self, name: str) -> Definition:
        chance = self._chance
        return Definition(
            name,
            version=next(self._versions),
            start=_ORIGIN + timedelta(milliseconds=chance.choice((0, chance.randrange(5000)))),
            interval=chance.choice(_INTERVALS),
            runs_for=chance.choice((*(0,) * 14, *(0.2,) * 4, 0.5, 2)),
            exit_code=chance.choice((0, 0, 0, 0, 3)),
        )

    def _change(self, category: str) -> None:
        """Remove a few jobs, bring others, change schedules and commands; now and then nothing at all."""
        jobs, chance = self._jobs[category], self._chance
        some = chance.sample(list(jobs), min(len(jobs), chance.choice((0, 3, 6))))
        for number, name in enumerate(some):
            old = jobs[name]
            if number % 3 == 0:
                self._removed[category].append(name)
                del jobs[name]
            elif number % 3 == 1:
                jobs[name] = self._invent(name)
            else:
                jobs[name] = replace(old, version=next(self._versions))
        while some and len(jobs) < self._scale.jobs_in_category and chance.random() < 0.6:
            self._add(category)

    def _add(self, category: str) -> None:
        removed = self._removed[category]
        if removed and self._chance.random() < 0.7:
            name = removed.pop(self._chance.randrange(len(removed)))
        else:
            name = f"{category}-new{next(self._versions)}"
        self._jobs[category][name] = self._invent(name)

    def _someone(self) -> str:
        """A job that is there; if there is one, one that has not been run by hand yet."""
        names = [name for jobs in self._jobs.values() for name in jobs]
        chosen = self._chance.choice([name for name in names if name not in self._asked] or names)
        self._asked.add(chosen)
        return chosen
