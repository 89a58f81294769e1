"""What is seen of the output of runs while somebody looks on.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op

from cronq.database.migrations.steps import create_indexes
from cronq.database.output_tables import excerpts, viewings
from cronq.database.tables import metadata

revision = "0008"
down_revision = "0007"

NEW = (viewings, excerpts)


def upgrade() -> None:
    """Add what is not there yet."""
    metadata.create_all(op.get_bind(), NEW)
    for table in NEW:
        create_indexes(op.get_bind(), table)
