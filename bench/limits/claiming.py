"""The bare claim loop: lock what is due, move it on, write a row for each run, commit. No rules."""

import time
from datetime import timedelta
from typing import Any

import pymysql

from bench.installation import Installation, utc_now
from cronq.domain.runs import new_run_ids

BATCH = 500

_DUE = """
    SELECT id, name, command, next_run FROM bare_jobs WHERE next_run <= %s ORDER BY next_run LIMIT %s
    FOR UPDATE SKIP LOCKED
"""
_MOVE = """
    INSERT INTO bare_jobs (id, next_run, locked_by) VALUES (%s, %s, %s)
    ON DUPLICATE KEY UPDATE next_run = VALUES(next_run), locked_by = VALUES(locked_by)
"""
_RECORD = "INSERT INTO bare_runs (run_id, job_id, slot, status) VALUES (%s, %s, %s, %s)"


def prepare(installation: Installation, count: int) -> None:
    """Make as many bare jobs as there are jobs, none of them due."""
    installation.sql("DROP TABLE IF EXISTS bare_jobs, bare_runs")
    installation.sql(
        "CREATE TABLE bare_jobs (id INT PRIMARY KEY, name VARCHAR(255), command TEXT,"
        " next_run DATETIME(6), locked_by VARCHAR(64), KEY (next_run))"
    )
    installation.sql(
        "CREATE TABLE bare_runs (id BIGINT AUTO_INCREMENT PRIMARY KEY, run_id CHAR(32) CHARACTER SET ascii,"
        " job_id INT, slot DATETIME(6), status VARCHAR(16), UNIQUE KEY (run_id), UNIQUE KEY (job_id, slot))"
    )
    installation.sql(
        "INSERT INTO bare_jobs SELECT seq, CONCAT('job ', seq), 'true', %s + INTERVAL seq %% 86400 SECOND,"
        f" NULL FROM seq_1_to_{count}",
        utc_now() + timedelta(days=1),
    )


def claims_per_second(installation: Installation, count: int, among: int, turn: int) -> float:
    """Claim `count` of `among` bare jobs, spread as `make_due` spreads them; others at each turn."""
    step = among // count
    slot = utc_now().replace(microsecond=0)
    installation.sql("UPDATE bare_jobs SET next_run = %s WHERE id %% %s = %s", slot, step, turn % step)
    connection = installation.connect()
    connection.autocommit(False)
    with connection:
        began = time.perf_counter()
        claimed = 0
        while batch := _claim(connection):
            claimed += batch
        return claimed / (time.perf_counter() - began)


def _claim(connection: "pymysql.Connection[Any]") -> int:
    with connection.cursor() as cursor:
        now = utc_now()
        cursor.execute(_DUE, (now, BATCH))
        found = cursor.fetchall()
        if found:
            moved = [(job_id, slot + timedelta(days=1), "bench") for job_id, _, _, slot in found]
            cursor.executemany(_MOVE, moved)
            ids = new_run_ids(now, len(found))
            rows = zip(ids, found, strict=True)
            cursor.executemany(_RECORD, [(run_id, row[0], row[3], "queued") for run_id, row in rows])
        connection.commit()
    return len(found)
