"""Rules of jobs, attempts after the first, and what is known of the runners.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op
from sqlalchemy import Table

from cronq.database.migrations.steps import add_columns, create_indexes
from cronq.database.tables import definitions, jobs, metadata, orders, runners, runs

revision = "0002"
down_revision = "0001"

NEW: dict[Table, list[str]] = {
    jobs: ["rules"],
    definitions: ["rules"],
    runs: ["previous_run_id", "superseded", "abandoned"],
}


def upgrade() -> None:
    """Add what is not there yet."""
    connection = op.get_bind()
    for table, columns in NEW.items():
        add_columns(connection, table, columns)
    metadata.create_all(connection, [runners, orders])
    for table in (runners, orders):
        create_indexes(connection, table)
