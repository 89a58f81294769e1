"""Which daemons are up, how many runs there were in each hour, and what finds jobs that need somebody.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op

from cronq.database.migrations.steps import create_indexes
from cronq.database.standing_tables import daemons, hourly_runs
from cronq.database.tables import jobs, metadata

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add what is not there yet."""
    metadata.create_all(op.get_bind(), (daemons, hourly_runs))
    create_indexes(op.get_bind(), jobs)
