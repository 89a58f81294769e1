"""How long jobs usually take, for pages that compare runs with it."""

from sqlalchemy import Column, Double, Integer, Table

from cronq.database.tables import Instant, metadata

# One row for each job that has succeeded.
usual_durations = Table(
    "usual_durations",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    # How many runs it is drawn from.
    Column("runs", Integer, nullable=False),
    # Seconds.
    Column("median", Double, nullable=False, index=True),
    Column("p95", Double, nullable=False),
    # Whatever was recorded up to then had its part in it.
    Column("computed_at", Instant, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
