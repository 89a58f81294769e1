"""What a scenario is: it gets everything ready once, and then measures in rounds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.figures import Sheet, Target

Measure = Callable[[Sheet], None]
"""One round: the limit, cronq and the peer, one after the other, so that all see the same weather."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    #: A few seconds' worth, which shows that all of it works and nothing else.
    quick: bool = False
    #: Whether peers are measured, which have to be installed for that.
    peers: bool = True

    def __call__(self, full: int, quick: int) -> int:
        """The one or the other."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the table."""

    name: str
    #: What is measured and how, in sentences for the reader of the figures.
    title: str
    prepare: Callable[[Size], AbstractContextManager[Measure]]
    targets: tuple[Target, ...] = ()
    #: How often all of it is measured unless somebody says otherwise: less often where one round takes long.
    rounds: int = 5
