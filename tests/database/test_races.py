"""Several at once on SQLite."""

from tests.database import racing
from tests.database.store import OnSQLite


class ClaimRaceTests(OnSQLite, racing.ClaimRaceTests):
    """Injectors at the same jobs."""


class ReplaceRaceTests(OnSQLite, racing.ReplaceRaceTests):
    """Categories that are replaced while all else goes on."""


class RecordRaceTests(OnSQLite, racing.RecordRaceTests):
    """Results daemons at the same runs."""
