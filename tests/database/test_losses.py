"""Giving runs up on SQLite."""

from tests.database import losing
from tests.database.store import OnSQLite


class LossTests(OnSQLite, losing.LossTests):
    """A run that was granted to a runner."""


class RerunTests(OnSQLite, losing.RerunTests):
    """A run whose job asks for another attempt."""
