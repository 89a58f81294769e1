"""Users, sessions, tokens, and the record of what people change.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op

from cronq.database.access_tables import changes, sessions, tokens, users
from cronq.database.migrations.steps import create_indexes
from cronq.database.tables import metadata

revision = "0006"
down_revision = "0005"

NEW = (users, sessions, tokens, changes)


def upgrade() -> None:
    """Add what is not there yet."""
    connection = op.get_bind()
    metadata.create_all(connection, NEW)
    for table in NEW:
        create_indexes(connection, table)
