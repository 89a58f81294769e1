"""What lists of jobs look up besides the rows of the jobs."""

from sqlalchemy import Column, Double, Index, Integer, Table

from cronq.database.column_types import Name
from cronq.database.tables import Instant, Word, metadata

# How long jobs usually take: one row for each that has succeeded.
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

# By what of its rules a job is found: whose it is, its tags, until when its document pauses it.
job_facets = Table(
    "job_facets",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    # owner, tag or paused_until
    Column("facet", Word, primary_key=True),
    Column("value", Name(255), primary_key=True),
    Index("job_facets_value", "facet", "value", "job_id"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
