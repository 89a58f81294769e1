"""Rules on SQLite."""

from tests.database import ruling
from tests.database.store import OnSQLite


class OverlapTests(OnSQLite, ruling.OverlapTests):
    """Runs that would overlap."""


class AttemptTests(OnSQLite, ruling.AttemptTests):
    """Attempts after the first."""


class PauseTests(OnSQLite, ruling.PauseTests):
    """Slots that people, or documents, want skipped."""


class CatchUpTests(OnSQLite, ruling.CatchUpTests):
    """Slots for which no injector was there."""


class PriorityTests(OnSQLite, ruling.PriorityTests):
    """What comes first when more is due than fits."""
