"""A Celery application whose one task runs a shell command; results go into the database."""

import os
import subprocess

from celery import Celery

app = Celery(
    "bench",
    broker=os.environ["RABBITMQ_URL"],
    backend=f"db+{os.environ['DATABASE_URL']}",
)


def run(command: str) -> int:
    """Run it as cronq would; gives the return code."""
    return subprocess.run(["/bin/sh", "-c", command], check=False).returncode


run_command = app.task(name="run")(run)
