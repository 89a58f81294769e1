"""Claims on SQLite."""

from tests.database import claiming
from tests.database.store import OnSQLite


class ClaimTests(OnSQLite, claiming.ClaimTests):
    """Slots that are due."""


class WrongClockTests(OnSQLite, claiming.WrongClockTests):
    """Clocks that jump."""


class RunNowTests(OnSQLite, claiming.RunNowTests):
    """Runs by hand."""


class InheritedJobTests(OnSQLite, claiming.InheritedJobTests):
    """Jobs as 0.27 stored them: a next run and an interval are all there is of their schedule."""


class EditedRowTests(OnSQLite, claiming.EditedRowTests):
    """Rows that a person has changed at a prompt."""


class OneBadJobTests(OnSQLite, claiming.OneBadJobTests):
    """A job that makes trouble does not stop the others."""
