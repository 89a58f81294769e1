"""What people have said about the failures of a job."""

from alembic import op

from cronq.database.acknowledgement_tables import acknowledgements
from cronq.database.tables import metadata

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add what is not there yet."""
    metadata.create_all(op.get_bind(), (acknowledgements,))
