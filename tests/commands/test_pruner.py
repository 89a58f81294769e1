"""`cronq-pruner` on SQLite."""

from tests.commands import pruning
from tests.database.store import OnSQLite


class MisuseTests(OnSQLite, pruning.MisuseTests):
    """Command lines that make no sense, and databases that are not there."""


class KeepTests(OnSQLite, pruning.KeepTests):
    """`--keep N`."""


class RangeTests(OnSQLite, pruning.RangeTests):
    """`--first A --last B`."""


class AgeTests(OnSQLite, pruning.AgeTests):
    """`--older-than AGE`."""


class OpenRunTests(OnSQLite, pruning.OpenRunTests):
    """What belongs to a run that has not ended."""


class StopTests(OnSQLite, pruning.StopTests):
    """Stopped in the middle, and started again."""


class AnswerTests(OnSQLite, pruning.AnswerTests):
    """Questions to the program."""
