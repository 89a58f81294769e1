"""Orders to runners on SQLite."""

from tests.database import ordering
from tests.database.store import OnSQLite


class DrainTests(OnSQLite, ordering.DrainTests):
    """The order to drain."""


class KillTests(OnSQLite, ordering.KillTests):
    """The order to end the command of a run."""
