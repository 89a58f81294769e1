"""An installation that has been at work for a while, for the pages to show: made by the database itself.

Everything that a page can show is in it, in the proportions of a busy place: teams of all sizes, jobs that
fail, are paused, late, running or have never run, a few that run all the time and many that run once a day.
"""

from bench.jobs import add_jobs
from bench.statements import Statements

#: Categories; the first has a fifth of all jobs, and the others share the rest.
CATEGORIES = 100
#: One job in so many runs all the time: half of all runs are theirs.
BUSY = 1000
#: The latest runs are due a minute ago.
_DAYS = 5

_VERBS = "'Import','Export','Rotate','Verify','Send','Rebuild','Archive','Sync','Check','Clean up'"
_THINGS = "'invoices','customers','search index','backups','mail queue','price lists','sessions','reports'"
#: A number from 0 to 999 that looks like chance, of a job and a slot.
_CHANCE = "CRC32(CONCAT(job_id, slot)) % 1000"
_STATUS = (
    "CASE WHEN job_id % 100 = 42 THEN 'failed'"
    f" WHEN {_CHANCE} < 15 THEN 'failed' WHEN {_CHANCE} < 18 THEN 'timed_out'"
    f" WHEN {_CHANCE} < 20 THEN 'killed' WHEN {_CHANCE} < 22 THEN 'lost' ELSE 'succeeded' END"
)
#: From a tenth of a second to some minutes.
_TOOK = f"0.1 * POW(2, job_id % 12) * (0.7 + {_CHANCE} / 2000)"
_EVER_RAN = "id % 33 <> 5"


def _run_id(slot: str, number: str) -> str:
    """SQL for the id of a run: as that of any run, it begins with the time, in milliseconds."""
    milliseconds = f"1000 * TIMESTAMPDIFF(SECOND, '1970-01-01', {slot})"
    return f"LOWER(CONCAT(LPAD(HEX({milliseconds}), 12, '0'), LPAD(HEX({number}), 20, '0')))"


_OWNERS = "'billing','warehouse','platform','search','data','growth','security','web','mobile','operations'"


def add_dataset(database: Statements, jobs: int, runs: int) -> None:
    """Add so many jobs and about so many runs, each with what belongs to it."""
    add_jobs(database, jobs)
    furnish(database, runs)


def furnish(database: Statements, runs: int) -> None:
    """Make of the jobs of `add_jobs` those of many teams, and give them about so many runs."""
    jobs = int(database.value("SELECT COUNT(*) FROM jobs"))
    _name_jobs(database)
    _schedule_jobs(database)
    daily = min(_DAYS, runs // 2 // jobs)
    busy = (runs - daily * jobs) * BUSY // jobs
    for day in range(_DAYS, 0, -1):
        _add_runs(database, day, busy // _DAYS, daily=day <= daily)
    _add_events(database)
    _note_ends(database)
    _add_open_runs(database)
    _add_usual(database)
    _count_days(database)
    _count_hours(database)
    _add_surroundings(database, jobs)
    database.sql("ANALYZE TABLE jobs, runs, events, definitions, usual_durations, job_days, changes, outputs")


def _name_jobs(database: Statements) -> None:
    """Teams, names, commands, and what the documents of real teams say besides."""
    database.sql(
        "INSERT IGNORE INTO categories (id, name)"
        f" SELECT seq, CONCAT(ELT(1 + seq % 10, {_OWNERS}), '-', seq) FROM seq_2_to_{CATEGORIES}"
    )
    rules = (
        "JSON_COMPACT(JSON_OBJECT("
        f"'owner', ELT(1 + id DIV 7 % 10, {_OWNERS}), 'tags', JSON_ARRAY(CONCAT('tier-', id % 3), 'nightly'),"
        " 'description', 'What it does, what it is for, and what happens to whom when it does not.',"
        " 'timeout', 'PT30M'))"
    )
    named = f"CONCAT(ELT(1 + id % 8, {_VERBS}), ' ', ELT(1 + id DIV 8 % 8, {_THINGS}), ' ', id)"
    database.sql(
        f"UPDATE jobs SET category_id = IF(id % 5 = 0, 1, 2 + id % {CATEGORIES - 1}),"
        f" name = {named}, command = CONCAT('/srv/jobs/bin/run --job ', id,"
        " ' --environment production --config /etc/jobs/config.yaml | tee -a /var/log/jobs/', id, '.log'),"
        f" rules = CASE WHEN id % 100 = 7 THEN '{{\"enabled\":false}}' WHEN id % 5 < 3 THEN {rules} END,"
        " paused_until = IF(id % 200 = 11, UTC_TIMESTAMP() + INTERVAL 2 DAY, NULL),"
        " pause_reason = IF(id % 200 = 11, 'the warehouse is being moved', NULL)"
    )


def _schedule_jobs(database: Statements) -> None:
    """A third of them by cron expressions, some of these by the clocks of a place."""
    cron = "DATE_FORMAT(next_run, '%i %H * * *')"
    there = f'CONCAT(\'{{"schedule":["\', {cron}, \'"],"timezone":"Europe/Berlin"}}\')'
    database.sql(
        f"UPDATE jobs SET schedule = IF(id % 9 = 0, {there}, {cron}),"
        " next_run = next_run - INTERVAL SECOND(next_run) SECOND WHERE id % 3 = 0"
    )
    database.sql(
        "UPDATE definitions JOIN jobs ON jobs.id = job_id SET definitions.schedule = jobs.schedule,"
        " definitions.command = jobs.command, definitions.rules = jobs.rules,"
        f" since = since - INTERVAL {_DAYS} DAY WHERE until IS NULL"
    )
    database.sql("UPDATE jobs SET next_run = UTC_TIMESTAMP() - INTERVAL 10 MINUTE WHERE id % 10000 = 77")


def _add_runs(database: Statements, day: int, busy: int, *, daily: bool) -> None:
    """The runs of one day in the order in which they were due: of all jobs one, and of the busy ones many."""
    known = int(database.value("SELECT COALESCE(MAX(id), 0) FROM runs"))
    due = (
        "SELECT id AS job_id, UTC_TIMESTAMP()"
        f" - INTERVAL {day * 86_400 - 86_340} + FLOOR(seq * 86000 / {busy}) SECOND AS slot"
        f" FROM jobs JOIN seq_1_to_{busy} WHERE id % {BUSY} = 0"
    )
    if daily:
        due += (
            f" UNION ALL SELECT id, next_run - INTERVAL {day} DAY FROM jobs"
            f" WHERE id % {BUSY} > 0 AND {_EVER_RAN}"
        )
    database.sql(
        "INSERT INTO runs (id, run_id, job_id, definition_id, slot, status, reason, queued_at, published_at,"
        " granted_at, started_at, ended_at, recorded_at, runner, host, return_code, run_time)"
        f" SELECT {known} + n, {_run_id('slot', f'{known} + n')}, job_id, definitions.id, slot, status,"
        " IF(status = 'lost', 'its runner has been silent for 60 seconds', NULL), slot, slot, slot, slot,"
        " slot + INTERVAL took SECOND, slot + INTERVAL took SECOND, CONCAT('runner-', job_id % 8),"
        " CONCAT('worker-', job_id % 8, '.example.net'), IF(status = 'failed', 3, 0),"
        " IF(status = 'lost', NULL, took)"
        " FROM (SELECT ROW_NUMBER() OVER (ORDER BY slot, job_id) AS n, job_id, slot,"
        f" {_STATUS} AS status, {_TOOK} AS took FROM ({due}) AS due) AS ended"
        " JOIN definitions USING (job_id) ORDER BY n"
    )


def _add_events(database: Statements) -> None:
    """Of each run one of its start and one of its end."""
    database.sql(
        "INSERT INTO events (id, job_id, `datetime`, run_id, type, host, return_code, once)"
        " SELECT 2 * runs.id - 1 + kind, job_id, IF(kind, ended_at, started_at), run_id,"
        " CASE WHEN kind = 0 THEN 'starting' WHEN status = 'lost' THEN 'lost' ELSE 'finished' END, host,"
        " IF(kind, return_code, NULL), 1"
        " FROM runs JOIN (SELECT 0 AS kind UNION ALL SELECT 1) AS kinds ORDER BY runs.id, kind"
    )
    database.sql(
        "INSERT INTO outputs (run_id, size, kept)"
        """ SELECT run_id, 23, '{"head":[["err","no space left on device"]]}' FROM runs"""
        " WHERE status IN ('failed', 'timed_out')"
    )


def _note_ends(database: Statements) -> None:
    """What results writes into the rows of jobs."""
    database.sql(
        "UPDATE jobs JOIN (SELECT job_id, MAX(id) AS id FROM runs GROUP BY job_id) AS latest"
        " ON latest.job_id = jobs.id JOIN runs ON runs.id = latest.id"
        " SET last_run_start = started_at, last_run_stop = ended_at, locked_by = 'scheduler-1.2211',"
        " last_run_status = IF(status = 'succeeded', 'succeeded', 'failed'),"
        " current_status = IF(status = 'succeeded', 'succeeded', 'failed')"
    )


def _add_open_runs(database: Statements) -> None:
    """Some that are running, and some that wait for a runner."""
    for status, started, again, remainder in (
        ("running", "UTC_TIMESTAMP()", "NULL", 500),
        ("queued", "NULL", "UTC_TIMESTAMP() + INTERVAL 1 HOUR", 1500),
    ):
        database.sql(
            "INSERT INTO runs (run_id, job_id, definition_id, slot, status, queued_at, published_at,"
            " granted_at, started_at, publications, publish_after, runner, host)"
            f" SELECT {_run_id('UTC_TIMESTAMP()', 'jobs.id + 16000000')}, jobs.id, definitions.id,"
            f" UTC_TIMESTAMP(), '{status}', UTC_TIMESTAMP(), UTC_TIMESTAMP(),"
            f" {started}, {started}, 1, {again}, 'runner-1', 'worker-1'"
            f" FROM jobs JOIN definitions ON job_id = jobs.id WHERE jobs.id % 2000 = {remainder}"
        )
    database.sql("UPDATE jobs SET current_status = 'starting' WHERE id % 2000 = 500")


def _add_usual(database: Statements) -> None:
    """About what results keeps up; to the page it is all the same what the figures are."""
    database.sql(
        "INSERT INTO usual_durations (job_id, runs, median, p95, computed_at)"
        " SELECT job_id, LEAST(30, COUNT(*)), AVG(run_time), MAX(run_time), UTC_TIMESTAMP() FROM runs"
        " WHERE status = 'succeeded' GROUP BY job_id"
    )


def _count_days(database: Statements) -> None:
    """As results does it, a little at a time."""
    database.sql(
        "INSERT INTO job_days (job_id, day, status, runs) SELECT job_id, DATE(COALESCE(slot, queued_at)),"
        " status, COUNT(*) FROM runs WHERE status NOT IN ('queued', 'running') GROUP BY 1, 2, 3"
    )
    database.sql(
        "INSERT INTO unsettled_runs (id, job_id, look_at) SELECT id, job_id, UTC_TIMESTAMP() FROM runs"
        " WHERE status IN ('queued', 'running')"
    )
    database.sql(
        "INSERT INTO settings (name, value) SELECT 'days_counted_until_run', MAX(id) FROM runs"
        " ON DUPLICATE KEY UPDATE value = VALUES(value)"
    )


def _count_hours(database: Statements) -> None:
    """As results does it, once in a while."""
    database.sql(
        "INSERT INTO hourly_runs (hour, counts, counted_at)"
        " SELECT hour, JSON_OBJECTAGG(status, count), UTC_TIMESTAMP() FROM"
        " (SELECT DATE_FORMAT(slot, '%Y-%m-%d %H:00:00') AS hour, status, COUNT(*) AS count FROM runs"
        " WHERE slot > UTC_TIMESTAMP() - INTERVAL 25 HOUR GROUP BY 1, 2) AS counted GROUP BY hour"
    )


def _add_surroundings(database: Statements, jobs: int) -> None:
    """Runners, and what people have changed."""
    database.sql(
        "INSERT INTO runners (id, host, home, version, queue, routing_keys, concurrency, busy, status,"
        " clock_ahead, first_heard, last_heard) SELECT CONCAT('runner-', seq),"
        " CONCAT('worker-', seq, '.example.net'), MD5(seq), '1.0.0', 'cronq_jobs', '[\"default\"]', 16, 6,"
        " IF(seq < 8, 'up', 'stopped'), 0.01, UTC_TIMESTAMP() - INTERVAL 1 DAY, UTC_TIMESTAMP()"
        " FROM seq_0_to_40"
    )
    database.sql(
        "INSERT INTO changes (at, who, via, address, action, subject, job_id, after)"
        f" SELECT UTC_TIMESTAMP() - INTERVAL ({jobs} - id) SECOND, CONCAT('person-', id % 20), 'session',"
        " '192.0.2.7', ELT(1 + id % 3, 'job.added', 'job.run', 'job.paused'), CONCAT('team/', name), id,"
        " '{}' FROM jobs ORDER BY id"
    )
