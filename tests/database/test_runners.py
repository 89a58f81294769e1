"""The table of runners on SQLite."""

from tests.database import hearing
from tests.database.store import OnSQLite


class HeartbeatTests(OnSQLite, hearing.HeartbeatTests):
    """Who has been heard."""


class ReturnTests(OnSQLite, hearing.ReturnTests):
    """A runner that was given up, and is heard again."""


class ForgettingTests(OnSQLite, hearing.ForgettingTests):
    """Rows of runners that are gone."""
