"""Publishes the orders to runners that stand in the database, until each has had its effect."""

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker, Message
from cronq.database.gateway import Database
from cronq.database.orders import SentOrder, claim_orders
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.runs import new_token
from cronq.services.loop import Loop
from cronq.services.tables import Tables

log = Logger()

BATCH = 500


class OrderPublisher(Loop):
    """One of the duties of an injector."""

    def __init__(
        self, database: Database, tables: Tables, broker: Broker, clock: IReactorTime, interval: float
    ) -> None:
        """`interval` in seconds: how often it looks."""
        super().__init__("orders", self.publish, clock, tables.trouble)
        self._tables = tables
        self._database = database
        self._broker = broker
        self._interval = interval

    async def publish(self) -> float:
        """One pass: at most one batch."""
        if not await self._tables.ready():
            return self._interval
        await self.until(self._broker.when_connected())
        sent = await self._database.transact(claim_orders, BATCH)
        for each in sent:
            await self._publish(each)
        return 0.0 if len(sent) == BATCH else self._interval

    async def _publish(self, sent: SentOrder) -> None:
        if sent.address is None:
            return
        message = Message(sent.address, sent.order.encode(), new_token(), direct=True)
        try:
            await self._broker.publish(message)
        except (BrokerUnavailable, Unroutable) as error:
            log.info(
                "order to {kind} could not be given to runner {runner} yet: {why}",
                kind=sent.order.kind,
                runner=sent.runner,
                why=str(error),
            )
