"""Live output on SQLite."""

from tests.database import viewing
from tests.database.store import OnSQLite


class ViewingTests(OnSQLite, viewing.ViewingTests):
    """Who looks, and what is seen."""
