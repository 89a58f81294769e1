"""Jobs per second that one injector claims, with rules and without, on a database of your own.

DATABASE_URL=mysql+pymysql://… python bench/claims.py [jobs]

The database must be empty; without DATABASE_URL it is a SQLite file in a temporary folder.
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, select, update

from cronq.database import schema
from cronq.database.categories import replace_category
from cronq.database.claims import claim_due
from cronq.database.gateway import make_engine, transact_here
from cronq.database.tables import jobs, runs
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.rules import CatchUp, Overlap, Rules
from cronq.domain.runs import Status

BATCH = 500
REPEATS = 5
SCHEDULE = "R/2020-01-01T00:00:00Z/PT1H"
KINDS = {
    "no rules": Rules(),
    "retries, deadline, catch_up": Rules(retries=3, deadline=timedelta(days=1), catch_up=CatchUp.NONE),
    "priority": Rules(priority=5),
    "overlap skip": Rules(overlap=Overlap.SKIP),
    "max_running 2": Rules(max_running=2),
    "overlap skip, one of each runs": Rules(overlap=Overlap.SKIP),
    "not enabled": Rules(enabled=False),
}


def main(count: int) -> None:
    folder = tempfile.mkdtemp()
    engine = make_engine(os.environ.get("DATABASE_URL", f"sqlite:///{folder}/cronq"))
    transact_here(engine, schema.upgrade)
    for kind, rules in KINDS.items():
        names = (f"job {n}" for n in range(count))
        wanted = tuple(JobDefinition(name, SCHEDULE, "true", rules=rules) for name in names)
        transact_here(engine, replace_category, Category(kind, wanted))
        if "one of each runs" in kind:
            _begin_one_each(engine)
        rates = []
        for _ in range(REPEATS):
            _make_due(engine)
            begin = time.monotonic()
            while transact_here(engine, claim_due, BATCH, "bench").full:
                pass
            rates.append(count / (time.monotonic() - begin))
        print(
            f"{kind}: {statistics.median(rates):,.0f} jobs/s ({min(rates):,.0f} to {max(rates):,.0f})",
            flush=True,
        )
        transact_here(engine, lambda connection: connection.execute(runs.delete()))
        transact_here(engine, replace_category, Category(kind, ()))


def _make_due(engine: Engine) -> None:
    """Let the last slot be due, as if it had just come; slots that were recorded are forgotten."""
    slot = datetime.now(UTC).replace(tzinfo=None).replace(minute=0, second=0, microsecond=0)

    def work(connection: Connection) -> None:
        connection.execute(runs.delete().where(runs.c.status != Status.RUNNING.value))
        due = {"next_run": slot, "settled_until": slot - timedelta(microseconds=1), "range_run_id": None}
        connection.execute(update(jobs).where(jobs.c.removed_at.is_(None)).values(due))

    transact_here(engine, work)


def _begin_one_each(engine: Engine) -> None:
    """A run of each job is under way."""

    def work(connection: Connection) -> None:
        ids = list(connection.scalars(select(jobs.c.id).where(jobs.c.removed_at.is_(None))))
        now = datetime.now(UTC).replace(tzinfo=None)
        rows = [
            {"run_id": f"{n:032x}", "job_id": n, "status": "running", "runner": "r", "started_at": now}
            for n in ids
        ]
        connection.execute(runs.insert(), rows)

    transact_here(engine, work)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
