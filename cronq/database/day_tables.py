"""The days of jobs, counted once, so that a year of a job is read without going over its runs."""

from sqlalchemy import BigInteger, Column, Date, Integer, Table

from cronq.database.tables import BigId, Instant, Word, metadata

# How many runs of a job came to a status on a day of UTC: that of the slot or, for a run by hand, that on
# which it was asked for. Attempts that were followed by another one do not count.
job_days = Table(
    "job_days",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True, index=True),
    Column("status", Word, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# Runs that have been passed over as they may still change: open ones, those that were lost of late, and rows
# that stand for several slots.
unsettled_runs = Table(
    "unsettled_runs",
    metadata,
    # Of its row in the ledger.
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("job_id", Integer, nullable=False, index=True),
    # When it is looked at again.
    Column("look_at", Instant, nullable=False, index=True),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
