"""Signs of life, and the counts of each hour, on SQLite."""

from tests.database import standing
from tests.database.store import OnSQLite


class AttendanceTests(OnSQLite, standing.AttendanceTests):
    """Daemons that leave signs."""


class HourTests(OnSQLite, standing.HourTests):
    """Runs of the last hours."""


class LastSlotTests(OnSQLite, standing.LastSlotTests):
    """How late the last slot was."""
