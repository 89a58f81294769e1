"""The days of jobs on SQLite."""

from tests.database import counting
from tests.database.store import OnSQLite


class DaysTests(OnSQLite, counting.DaysTests):
    """What a page reads."""


class ChangingTests(OnSQLite, counting.ChangingTests):
    """What becomes something else after somebody has passed by."""


class SeveralSlotsTests(OnSQLite, counting.SeveralSlotsTests):
    """Rows that stand for several slots."""


class ForgettingTests(OnSQLite, counting.ForgettingTests):
    """Old days, and runs that were pruned."""
