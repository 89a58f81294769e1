"""Taking back grants on SQLite."""

from tests.database import granting
from tests.database.store import OnSQLite


class TakingBackTests(OnSQLite, granting.TakingBackTests):
    """A run whose start was granted to one who is gone."""
