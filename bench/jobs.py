"""Jobs in the database, made by the database itself, since to PUT a million of them takes long."""

from datetime import datetime, timedelta

from bench.installation import utc_now
from bench.statements import Statements
from cronq.domain.rules import DEFAULT_RULES, Rules

CATEGORY = 1
#: How many different schedules there are; each job's own text would be as realistic.
_TEXTS = 1000


def add_jobs(installation: Statements, count: int, command: str = "true") -> None:
    """Add jobs that run once a day, the next time in two hours at the soonest."""
    installation.sql("INSERT IGNORE INTO categories (id, name) VALUES (%s, 'bench')", CATEGORY)
    soonest = utc_now().replace(microsecond=0) + timedelta(hours=2)
    installation.sql(
        """
        INSERT INTO jobs
            (name, category_id, schedule, `interval`, next_run, settled_until, command, routing_key)
        SELECT
            CONCAT('job ', seq), %s, '', '1970-01-02', %s + INTERVAL seq %% 79000 SECOND, %s, %s, 'default'
        FROM
        """
        f"seq_1_to_{count}",
        CATEGORY,
        soonest,
        soonest,
        command,
    )
    installation.sql(
        f"""
        UPDATE jobs SET settled_until = next_run - INTERVAL 1 DAY, schedule = {_schedule("next_run")}
        WHERE category_id = %s
        """,
        CATEGORY,
    )
    installation.sql(
        """
        INSERT INTO definitions (job_id, since, schedule, command, routing_key)
        SELECT id, settled_until, schedule, command, routing_key FROM jobs WHERE category_id = %s
        """,
        CATEGORY,
    )
    installation.sql("ANALYZE TABLE jobs, definitions")


def add_grid(installation: Statements, name: str, start: datetime, command: str) -> None:
    """Add a job that runs each second from `start` on, which may have a fraction."""
    installation.sql("INSERT IGNORE INTO categories (id, name) VALUES (%s, 'bench')", CATEGORY)
    schedule, before = f"R/{start.isoformat()}Z/PT1S", start - timedelta(seconds=1)
    installation.sql(
        "INSERT INTO jobs (name, category_id, schedule, `interval`, next_run, settled_until, command,"
        " routing_key) VALUES (%s, %s, %s, '1970-01-01 00:00:01', %s, %s, %s, 'default')",
        name, CATEGORY, schedule, start, before, command,
    )  # fmt: skip
    installation.sql(
        "INSERT INTO definitions (job_id, since, schedule, command, routing_key)"
        " SELECT id, settled_until, schedule, command, routing_key FROM jobs"
        " WHERE name = %s AND category_id = %s",
        name, CATEGORY,
    )  # fmt: skip


def remove_grids(installation: Statements) -> None:
    """Let no job be due any more."""
    installation.sql("UPDATE jobs SET next_run = NULL")


def make_due(
    installation: Statements,
    slot: datetime,
    count: int,
    among: int,
    turn: int,
    rules: Rules = DEFAULT_RULES,
) -> None:
    """Have `count` of `among` jobs due at `slot`, spread evenly, with these rules; others at each `turn`.

    None of them is paused any more.
    """
    step, text = among // count, rules.encode()
    installation.sql(
        f"""
        UPDATE jobs JOIN definitions ON definitions.job_id = jobs.id AND definitions.until IS NULL
        SET jobs.next_run = %s, jobs.settled_until = %s,
            definitions.since = %s,
            jobs.rules = %s, definitions.rules = %s, jobs.priority = %s, jobs.paused_until = NULL,
            jobs.schedule = {_schedule("%s")}, definitions.schedule = {_schedule("%s")}
        WHERE jobs.id %% %s = %s
        """,
        slot,
        slot - timedelta(seconds=1),
        slot - timedelta(seconds=1),
        text,
        text,
        rules.priority,
        slot,
        slot,
        slot,
        slot,
        step,
        turn % step,
    )


def _schedule(slot: str) -> str:
    """SQL for a daily schedule with that slot, which began a hundred to a thousand and a hundred days ago.

    `slot` is an expression, or a place for a value that is given twice.
    """
    return (
        f"CONCAT('R/', DATE_FORMAT({slot} - INTERVAL 100 + jobs.id %% {_TEXTS} DAY, '%%Y-%%m-%%d'),"
        f" 'T', DATE_FORMAT({slot}, '%%H:%%i:%%s'), 'Z/P1D')"
    )
