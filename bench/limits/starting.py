"""A twistd that does nothing: how long Python and Twisted take until the reactor runs."""

import time

from bench.installation import Daemon, wait_until
from tests.servers import sandbox

_APPLICATION = """
from pathlib import Path
from twisted.application.service import Application, Service

class Nothing(Service):
    def startService(self):
        Path("works").touch()

application = Application("nothing")
Nothing().setServiceParent(application)
"""


def seconds_to_start() -> float:
    """From its start until its one service is started."""
    folder = sandbox().new_folder("nothing")
    (folder / "nothing.tac").write_text(_APPLICATION)
    began = time.perf_counter()
    daemon = Daemon(folder, {}, "twistd", "--nodaemon", "--pidfile=", "--python=nothing.tac")
    wait_until((folder / "works").exists, 0.005)
    took = time.perf_counter() - began
    daemon.stop()
    return took
