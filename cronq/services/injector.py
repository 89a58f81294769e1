"""Finds the jobs that are due, records their runs, and publishes them."""

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker
from cronq.database.claims import claim_due, claim_singly, seconds_until_due
from cronq.database.gateway import Database
from cronq.database.outbox import claim_unpublished
from cronq.domain.errors import NotStorable
from cronq.services.loop import Loop
from cronq.services.publishing import publish_runs
from cronq.services.tables import Tables

log = Logger()

BATCH = 500
#: What is due but was not to be had is in the hands of another injector: seconds until we look again.
OTHERS_HAVE_IT = 0.05


class Injector(Loop):
    """Claims what is due, batch by batch, then sleeps until the next slot."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        broker: Broker,
        clock: IReactorTime,
        name: str,
        interval: float,
    ) -> None:
        """`name` is written into `locked_by`; `interval` is the longest sleep, in seconds."""
        super().__init__("injector", self.inject, clock, tables.trouble)
        self._tables = tables
        self._database = database
        self._broker = broker
        self._injector = name
        self._interval = interval

    async def inject(self) -> float:
        """One pass: at most one batch. Gives the seconds until more is due."""
        if not await self._tables.ready():
            return self._interval
        # While there is no broker, slots are left unclaimed: then the latest of each job runs, not all.
        await self.until(self._broker.when_connected())
        try:
            claim = await self._database.transact(claim_due, BATCH, self._injector)
        except NotStorable:
            claim = await self._database.transact(claim_singly, BATCH, self._injector)
        for job_id, why in claim.unreadable:
            log.error("job {job_id}: its stored schedule cannot be read: {why}", job_id=job_id, why=why)
        await publish_runs(self._broker, self._database, claim.publications)
        if claim.full:
            return 0.0
        due = await self._database.read(seconds_until_due)
        if due is None:
            return self._interval
        return min(self._interval, due or OTHERS_HAVE_IT)


class Republisher(Loop):
    """Publishes again what was recorded but never confirmed, or confirmed but never started."""

    def __init__(
        self, database: Database, tables: Tables, broker: Broker, clock: IReactorTime, interval: float
    ) -> None:
        """`interval` in seconds: how often it looks."""
        super().__init__("republisher", self.republish, clock, tables.trouble)
        self._tables = tables
        self._database = database
        self._broker = broker
        self._interval = interval

    async def republish(self) -> float:
        """One pass: at most one batch."""
        if not await self._tables.ready():
            return self._interval
        await self.until(self._broker.when_connected())
        runs = await self._database.transact(claim_unpublished, BATCH)
        again = [run for run in runs if run.publications]
        if again:
            log.warn(
                "{count} queued runs were never started; publishing them again, the first is {run_id}"
                " of job {job_id}",
                count=len(again),
                run_id=again[0].run_id,
                job_id=again[0].job_id,
            )
        await publish_runs(self._broker, self._database, runs)
        return 0.0 if len(runs) == BATCH else self._interval
