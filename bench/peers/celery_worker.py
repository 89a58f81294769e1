"""Celery, prefork, with database results: tasks per second of one worker, from the same servers."""

import time

from bench.installation import Daemon, Installation, wait_until
from tests.servers import sandbox

#: Processes of the worker. More than there are processors, as that was faster than one for each.
PROCESSES = 8

_DONE = "SELECT COUNT(*) FROM celery_taskmeta WHERE status = 'SUCCESS'"


def tasks_per_second(installation: Installation, count: int, command: str = "true") -> float:
    """From when a tenth of the tasks, all of which wait in the queue, has a result, until all have one."""
    environment = {"RABBITMQ_URL": installation.broker_url, "DATABASE_URL": installation.database_url}
    tasks = ("-m", "bench.peers.celery_tasks", str(count), command)
    Daemon(sandbox().new_folder("celery"), environment, "python", *tasks).wait()
    worker = Daemon(
        sandbox().new_folder("celery"),
        environment,
        "celery", "-A", "bench.peers.celery_app", "worker",
        "--pool", "prefork", "--concurrency", str(PROCESSES), "--loglevel", "INFO",
    )  # fmt: skip

    def done() -> int:
        ready = worker.running and installation.has_table("celery_taskmeta")
        return int(installation.value(_DONE)) if ready else 0

    try:
        wait_until(lambda: done() >= count / 10, 0.1)
        first, began = done(), time.monotonic()
        wait_until(lambda: done() == count, 0.1)
        return (count - first) / (time.monotonic() - began)
    finally:
        worker.stop()
        installation.sql("DROP TABLE IF EXISTS celery_taskmeta, celery_tasksetmeta")
