"""The outbox on SQLite."""

from tests.database import publishing
from tests.database.store import OnSQLite


class OutboxTests(OnSQLite, publishing.OutboxTests):
    """Runs that are published, confirmed, and published again."""
