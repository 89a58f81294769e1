"""What needs somebody's attention."""

import enum
from dataclasses import dataclass
from datetime import datetime


class ConcernKind(enum.StrEnum):
    """What is wrong, the gravest first."""

    #: No injector is up, or none ever was.
    NO_INJECTOR = "no_injector"
    NO_RESULTS = "no_results"
    #: Daemons are up, and none of them reaches the broker.
    NO_BROKER = "no_broker"
    #: Slots are due, and no injector takes them.
    LATE = "late"
    NO_RUNNER = "no_runner"
    #: Jobs have a routing key that no runner serves that is up.
    UNSERVED = "unserved"
    #: Runs wait for a free runner.
    WAITING = "waiting"
    FAILING = "failing"
    #: Their jobs are not among the failing ones.
    LOST = "lost"
    UNROUTABLE = "unroutable"
    #: A daemon is gone, and others of its kind are up.
    DAEMON_GONE = "daemon_gone"
    #: A daemon is up and does not reach the broker, as others do.
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class Subject:
    """A job, a routing key or a daemon that has that trouble."""

    name: str
    #: Of a job.
    job_id: int | None = None
    category: str | None = None
    since: datetime | None = None
    #: Of a routing key: how many jobs have it, or how many runs wait.
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that somebody should look at; all times are UTC."""

    kind: ConcernKind
    #: How many things have it: jobs, routing keys, runs that wait, or daemons.
    count: int
    #: Since when, as far as that is known; and when it was last seen to get worse.
    since: datetime | None = None
    latest: datetime | None = None
    #: Some of these things, of jobs the latest first.
    subjects: tuple[Subject, ...] = ()

    @property
    def weight(self) -> int:
        """How much it adds to the number that stands in the title: each job that needs somebody is one."""
        return self.count if self.kind in _COUNTED else 1


_COUNTED = frozenset({ConcernKind.FAILING, ConcernKind.LOST, ConcernKind.UNROUTABLE, ConcernKind.UNSERVED})
