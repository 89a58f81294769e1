"""Where messages go that no one can use."""

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from cronq.broker.interface import DEAD, Broker, Delivery, Message
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.runs import new_token

log = Logger()

#: Seconds until it is tried again when the broker would not take the message, but is still there.
PAUSE = 1.0


async def bury(broker: Broker, clock: IReactorTime, delivery: Delivery, reason: str) -> None:
    """Move a message to `cronq_dead`, with the reason; it is accepted only when it is safe there."""
    log.warn("a message cannot be used and goes to {dead}: {reason}", dead=DEAD, reason=reason)
    dead = Message(routing_key=DEAD, body=delivery.body, message_id=new_token(), reason=reason)
    while delivery.alive:  # if it is not, it comes again with the next connection
        try:
            await broker.publish(dead)
        except BrokerUnavailable:
            await deferLater(clock, PAUSE)
            continue
        except Unroutable:
            log.error("there is no queue {dead}; a message that cannot be used is dropped", dead=DEAD)
        delivery.accept()
        return
