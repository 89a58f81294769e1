"""Sends tasks to the Celery application: `python -m bench.peers.celery_tasks COUNT COMMAND`."""

import sys

from bench.peers.celery_app import run_command


def main(count: str, command: str) -> None:
    """Send so many."""
    for _ in range(int(count)):
        run_command.delay(command)


if __name__ == "__main__":
    main(*sys.argv[1:])
