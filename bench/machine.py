"""What the figures were measured on: enough to judge them, and nothing that names the machine."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path

from bench.installation import database_server
from cronq import __version__
from tests.servers import rabbitmq

_PACKAGES = "Twisted", "pika", "SQLAlchemy", "PyMySQL", "celery"


def machine() -> dict[str, str | int]:
    """Processors, memory and kernel."""
    information = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": os.cpu_count() or 0,
        "model": model[1] if model else platform.machine(),
        "memory, GiB": round(pages / 2**30),
        "kernel": platform.release().partition("-")[0],
        "system": _system(),
    }


def versions() -> dict[str, str]:
    """Of cronq, of what it is built on and of the servers, as far as they are there."""
    found = {"cronq": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    ((mariadb,),) = database_server().execute("SELECT VERSION()")
    return found | {"MariaDB": mariadb.partition("-")[0], "RabbitMQ": rabbitmq().version}


def _system() -> str:
    release = Path("/etc/os-release").read_text()
    name = re.search(r'^PRETTY_NAME="?([^"\n]+)', release, re.MULTILINE)
    return name[1] if name else platform.system()
