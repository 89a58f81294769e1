"""The broker contract, kept without a server: by a broker in this process, which forgets all at its exit."""

from cronq.broker.memory.broker import MemoryBroker
from cronq.broker.memory.connection import MemoryConnection

__all__ = ["MemoryBroker", "MemoryConnection"]
