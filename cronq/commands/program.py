"""Running a daemon from a console script: in the foreground, with the options that twistd would give it."""

import sys

from twisted.scripts import twistd


def run_in_foreground(program: str) -> None:
    """Do what `twistd --nodaemon PROGRAM OPTIONS` does."""
    sys.argv = ["twistd", "--nodaemon", "--pidfile=", program, *sys.argv[1:]]
    twistd.run()
