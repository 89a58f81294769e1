"""How long jobs usually take, on SQLite."""

from tests.database import gauging
from tests.database.store import OnSQLite


class UsualTests(OnSQLite, gauging.UsualTests):
    """Jobs that have run."""
