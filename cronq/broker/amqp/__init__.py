"""The broker contract, kept by RabbitMQ. Only here is pika imported, and no word of AMQP gets out."""

from cronq.broker.amqp.service import AmqpBroker

__all__ = ["AmqpBroker"]
