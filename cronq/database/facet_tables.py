"""By what jobs are found, besides what their own rows say."""

from sqlalchemy import Column, Index, Integer, Table

from cronq.database.column_types import Name
from cronq.database.tables import Word, metadata

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
