"""A runner reports itself, so that results knows what has become of the runs that it was granted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cronq.broker.interface import HEARTBEATS, Broker, Message
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.heartbeats import INTERVAL, ResultsHeartbeat, RunnerHeartbeat, RunnerStatus
from cronq.domain.runs import new_token
from cronq.services.loop import Loop
from cronq.services.notebook import Notebook

#: How often the end of a runner is told: whoever hears it may be killed before it is written down.
TELL_ENDS = 10


class Presence(Loop):
    """Publishes a heartbeat at each interval, and at once when `wake` says that something has changed."""

    def __init__(
        self,
        broker: Broker,
        clock: IReactorTime,
        describe: Callable[[], RunnerHeartbeat],
        notebook: Notebook,
        interval: float = INTERVAL,
    ) -> None:
        """`notebook` knows which runners have died here; `interval` in seconds."""
        super().__init__("presence", self.report, clock)
        self._broker = broker
        self._describe = describe
        self._notebook = notebook
        self._interval = interval
        #: By the id of a dead runner: how often its end has been told.
        self._told: Counter[str] = Counter()

    async def report(self) -> float:
        """One heartbeat when there is a connection, and one for each dead runner not reported yet."""
        await self.until(self._broker.when_connected())
        await self.until(Deferred.fromCoroutine(self._report()))
        return self._interval

    def say_last(self) -> Deferred[bool]:
        """One more heartbeat, for which no one waits to be connected; fires when it has been tried."""
        return Deferred.fromCoroutine(publish_heartbeat(self._broker, self._describe()))

    async def _report(self) -> None:
        own = self._describe()
        if not await publish_heartbeat(self._broker, own):
            return
        holds = frozenset(report.run_id for report in self._notebook.undelivered.values())
        for runner in sorted(self._notebook.ended_lives):
            ended = replace(own, runner=runner, status=RunnerStatus.STOPPED, holds=holds, address=None)
            if await publish_heartbeat(self._broker, ended):
                self._told[runner] += 1
                if self._told[runner] == TELL_ENDS:
                    self._notebook.forget_life(runner)


async def publish_heartbeat(broker: Broker, said: RunnerHeartbeat | ResultsHeartbeat) -> bool:
    """Whether any results daemon is there that will hear it."""
    try:
        await broker.publish(Message(HEARTBEATS, said.encode(), new_token()))
    except (BrokerUnavailable, Unroutable):
        return False
    return True
