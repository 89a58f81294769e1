"""Which daemons are up, by what they leave in the database every few seconds."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Seconds between two signs of life.
INTERVAL = 10.0
#: Whoever gives none for so long is not taken for alive.
SILENT_AFTER = timedelta(minutes=1)
#: A daemon that was killed is told of for so long.
KEPT = timedelta(days=1)


class DaemonKind(enum.StrEnum):
    """The daemons that leave a sign of life. (Runners have heartbeats, and a web shows itself.)"""

    INJECTOR = "injector"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Daemon:
    """One of them; all times are UTC, by the clock of the database."""

    kind: DaemonKind
    #: `host.pid`.
    name: str
    host: str
    version: str
    started_at: datetime
    seen_at: datetime
    #: Whether it was connected to the broker then.
    connected: bool

    def alive(self, now: datetime) -> bool:
        """Whether there was a sign of it just now."""
        return now - self.seen_at <= SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Standing:
    """The daemons of an installation."""

    alive: tuple[Daemon, ...] = ()
    #: Those that have ended in no good order, and have not been started again.
    silent: tuple[Daemon, ...] = ()

    def alive_of(self, kind: DaemonKind) -> tuple[Daemon, ...]:
        """Those of a kind that are up."""
        return tuple(each for each in self.alive if each.kind is kind)

    def silent_of(self, kind: DaemonKind) -> tuple[Daemon, ...]:
        """Those of a kind that are gone, the latest first."""
        return tuple(each for each in self.silent if each.kind is kind)

    @property
    def cut_off(self) -> tuple[Daemon, ...]:
        """Those that are up and have no connection to the broker."""
        return tuple(each for each in self.alive if not each.connected)

    @property
    def broker_is_up(self) -> bool | None:
        """Whether anybody is connected to the broker; None when nobody is there to say so."""
        return any(each.connected for each in self.alive) if self.alive else None


def stand(daemons: Iterable[Daemon], now: datetime) -> Standing:
    """How they stand by now."""
    known = sorted(daemons, key=lambda each: each.seen_at, reverse=True)
    alive = tuple(each for each in known if each.alive(now))
    silent = tuple(each for each in known if not each.alive(now) and not _is_replaced(each, known))
    return Standing(alive, silent)


def _is_replaced(gone: Daemon, known: Iterable[Daemon]) -> bool:
    """Whether another one of its kind was started on its host after the last sign of it."""
    return any(
        each.kind is gone.kind and each.host == gone.host and each.started_at >= gone.seen_at
        for each in known
        if each.name != gone.name
    )
