"""How long jobs usually take."""

from alembic import op

from cronq.database.tables import metadata
from cronq.database.usual_tables import usual_durations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what is not there yet."""
    metadata.create_all(op.get_bind(), (usual_durations,))
