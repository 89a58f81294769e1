"""The runs of one job on SQLite."""

from tests.database import searching
from tests.database.store import OnSQLite


class PagingTests(OnSQLite, searching.PagingTests):
    """All runs."""


class StatusTests(OnSQLite, searching.StatusTests):
    """Those of a status."""


class ByHandTests(OnSQLite, searching.ByHandTests):
    """Those by hand."""


class DayTests(OnSQLite, searching.DayTests):
    """Those of a day."""
