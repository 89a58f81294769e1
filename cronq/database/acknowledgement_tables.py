"""What people have said about the failures of a job."""

from sqlalchemy import Column, Integer, String, Table

from cronq.database.tables import BigId, Instant, metadata

# One row for each job at most: it holds until the job succeeds again.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    # The job's latest run in the ledger at that time: once a later one succeeds, it is void.
    Column("run_row", BigId, nullable=False),
    Column("who", String(255)),
    Column("note", String(1000)),
    Column("at", Instant, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
