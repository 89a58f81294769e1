"""Runs by job, status and time on SQLite."""

from tests.database import searching
from tests.database.store import OnSQLite


class SearchTests(OnSQLite, searching.SearchTests):
    """A page of runs."""
