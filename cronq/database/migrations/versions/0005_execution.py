"""What runs by hand are asked with, what is kept of output, and the orders for a run.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op

from cronq.database.migrations.steps import add_columns, create_indexes
from cronq.database.output_tables import outputs
from cronq.database.tables import metadata, orders, runs

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Add what is not there yet."""
    connection = op.get_bind()
    add_columns(connection, runs, ["request"])
    metadata.create_all(connection, [outputs])
    for table in (outputs, orders):
        create_indexes(connection, table)
