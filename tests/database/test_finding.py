"""Runs by job, status and time on SQLite."""

from tests.database import finding
from tests.database.store import OnSQLite


class SearchTests(OnSQLite, finding.SearchTests):
    """A page of runs."""
