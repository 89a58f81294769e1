"""Recording reports on SQLite."""

from tests.database import recording
from tests.database.store import OnSQLite


class ReportTests(OnSQLite, recording.ReportTests):
    """A run from its start to its end."""


class GrantTests(OnSQLite, recording.GrantTests):
    """Who may start a run."""


class KilledTests(OnSQLite, recording.KilledTests):
    """A run that somebody wants killed."""


class StrangerTests(OnSQLite, recording.StrangerTests):
    """Runs that this version's injector did not make, and values that no one expects."""
