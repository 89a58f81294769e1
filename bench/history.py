"""Runs of the past in the database, with their events: made by the database itself."""

from bench.installation import Installation
from bench.jobs import CATEGORY


def add_history(installation: Installation, days: int) -> None:
    """Add the runs of so many days of all jobs, the latest of which was due less than a day ago.

    Each has succeeded but for one of a hundred, and has left two events. A job's definition answers for them.
    """
    for day in range(days, 0, -1):
        _add_day(installation, day)
    installation.sql(
        "UPDATE definitions SET since = since - INTERVAL %s DAY WHERE until IS NULL AND since IS NOT NULL",
        days,
    )
    installation.sql("ANALYZE TABLE runs, events")


def _add_day(installation: Installation, day: int) -> None:
    slot, failed = "next_run - INTERVAL %s DAY", "(jobs.id + %s) %% 100 = 0"
    installation.sql(
        "INSERT INTO runs (run_id, job_id, definition_id, slot, status, queued_at, published_at, granted_at,"
        " started_at, ended_at, recorded_at, runner, host, return_code, run_time)"
        " SELECT LPAD(LOWER(HEX((1000 - %s) * 10000000 + jobs.id)), 32, '0'), jobs.id, definitions.id,"
        f" {slot},"
        f" IF({failed}, 'failed', 'succeeded'), {slot}, {slot}, {slot}, {slot}, {slot}, {slot},"
        f" 'a-runner', 'a-host', {failed}, 0.1"
        " FROM jobs JOIN definitions ON definitions.job_id = jobs.id"
        " WHERE definitions.until IS NULL AND category_id = %s ORDER BY jobs.next_run",
        *[day] * 10,
        CATEGORY,
    )
    for kind in ("starting", "finished"):
        # Without gaps, which ids that the server makes up in such a statement have at its end.
        known = installation.value("SELECT COALESCE(MAX(id), 0) FROM events")
        installation.sql(
            "INSERT INTO events (id, job_id, `datetime`, run_id, type, host, return_code, once)"
            " SELECT %s + ROW_NUMBER() OVER (ORDER BY id), job_id, slot, run_id, %s, host,"
            " IF(%s = 'finished', return_code, NULL), 1 FROM runs"
            " WHERE id > (SELECT MAX(id) - (SELECT COUNT(*) FROM jobs WHERE category_id = %s) FROM runs)",
            known,
            kind,
            kind,
            CATEGORY,
        )


def some_run(installation: Installation) -> str:
    """The id of a run."""
    return str(installation.value("SELECT run_id FROM runs LIMIT 1"))
