"""`cronq-pruner` on MariaDB."""

from tests.commands import pruning
from tests.integration.test_mariadb import OnMariaDB


class KeepTests(OnMariaDB, pruning.KeepTests):
    """`--keep N`."""


class RangeTests(OnMariaDB, pruning.RangeTests):
    """`--first A --last B`."""


class AgeTests(OnMariaDB, pruning.AgeTests):
    """`--older-than AGE`."""


class OpenRunTests(OnMariaDB, pruning.OpenRunTests):
    """What belongs to a run that has not ended."""


class StopTests(OnMariaDB, pruning.StopTests):
    """Stopped in the middle, and started again."""
