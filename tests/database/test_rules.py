"""Rules on SQLite."""

from tests.database import ruling
from tests.database.store import OnSQLite


class OverlapTests(OnSQLite, ruling.OverlapTests):
    """Runs that would overlap."""


class AttemptTests(OnSQLite, ruling.AttemptTests):
    """Attempts after the first."""
