"""What has happened in a history, as far as a verdict needs it."""

from collections import Counter, deque
from datetime import datetime

from cronq.broker.interface import Message


class Observations:
    """Books that are kept while a history goes on, and in which cronq has no hand."""

    def __init__(self) -> None:
        #: Machines that are gone for good.
        self.vanished: set[str] = set()
        #: Runs whose notes or reports were taken away by what no one can be held against.
        self.excused: set[str] = set()
        #: By run id, of later attempts: what was running, on a host that was back, when it began.
        self.beside: dict[str, list[str]] = {}
        #: By run id: all that was running then.
        self.running_at: dict[str, list[str]] = {}
        #: Runs whose command has ended while their runner took nothing new any more.
        self.ended_in_drain: set[str] = set()
        #: What was published, to come again.
        self.seen: deque[Message] = deque(maxlen=400)
        self.broken: list[str] = []  # tracebacks of daemons
        #: What the clock of the database has shown twice, as it was set back.
        self.twice: list[tuple[datetime, datetime]] = []
        #: How often histories came to where several rules meet, as far as only the moment tells.
        self.edges: Counter[str] = Counter()
