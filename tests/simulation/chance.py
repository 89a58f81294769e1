"""Chance that can be repeated: all that is random in cronq comes from the seed of a history."""

import contextlib
import random
from collections.abc import Iterator
from unittest import mock

from tests.simulation.disk import Disk


class SeededSecrets:
    """In the place of `secrets`, for the ids of runs and the tokens of requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"secrets {seed}")

    def token_hex(self, count: int) -> str:
        return self._random.randbytes(count).hex()


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[tuple[random.Random, Disk]]:
    """Within, the ids and tokens of cronq follow from the seed; gives the chance of the history itself, and
    the disk that notes are written to.
    """
    disk = Disk(random.Random(f"disk {seed}"))
    with (
        mock.patch("cronq.domain.runs.secrets", SeededSecrets(seed)),
        mock.patch("cronq.database.gateway.random", random.Random(f"pauses {seed}")),
        mock.patch("cronq.services.notebook.os", disk),
    ):
        yield random.Random(f"history {seed}"), disk
