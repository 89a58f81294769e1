"""RabbitMQ keeps the contract of all brokers: the suite that the in-process broker passes as well."""

from tests.broker import suite
from tests.integration import amqp


class AmqpBrokerTests(amqp.AmqpTestCase, suite.BrokerSuite):
    """The suite, by wires that can be cut."""
