"""How late commands run: each writes the time at which it runs beside the slot that it is for."""

import re
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Sheet, Who, percentile
from bench.installation import Installation, soon
from bench.jobs import add_grid

#: So the time includes that of a shell and of date(1), which is one or two milliseconds.
COMMAND = 'date +"$CRONQ_SLOT %s.%N"'
_LINE = re.compile(r"^(\S+)Z (\d+\.\d+)$", re.MULTILINE)


class Probes:
    """Jobs that run each second and say when."""

    def __init__(self, installation: Installation, count: int = 1) -> None:
        """As many a second as `count` says, at even distances."""
        self._installation = installation
        self._names = [f"probe {number}" for number in range(count)]
        start = soon(2)
        for number, name in enumerate(self._names):
            add_grid(installation, name, start + timedelta(seconds=number / count), COMMAND)
        #: When the first of them is due.
        self.start = start

    def milliseconds(self, first: datetime, last: datetime) -> list[float]:
        """How late the runs were whose slots are first <= slot < last."""
        found = []
        for folder in {daemon.folder for daemon in self._installation.daemons.values()}:
            for name in self._names:
                found += _read(folder / f"{name.replace(' ', '-')}.log", first, last)
        return found


def _read(path: Path, first: datetime, last: datetime) -> list[float]:
    if not path.exists():
        return []
    lines = _LINE.findall(path.read_text())
    slots = [(datetime.fromisoformat(slot), float(at)) for slot, at in lines]
    return [(at - slot.replace(tzinfo=UTC).timestamp()) * 1000 for slot, at in slots if first <= slot < last]


def stages(installation: Installation, first: datetime, last: datetime) -> dict[str, float]:
    """Where the time goes by the ledger, which the daemons of one machine can agree on: medians, in ms."""
    rows = installation.sql(
        "SELECT TIMESTAMPDIFF(MICROSECOND, slot, queued_at),"
        " TIMESTAMPDIFF(MICROSECOND, queued_at, granted_at),"
        " TIMESTAMPDIFF(MICROSECOND, granted_at, started_at) FROM runs JOIN jobs ON jobs.id = runs.job_id"
        " WHERE jobs.name LIKE 'probe%%' AND slot >= %s AND slot < %s",
        first,
        last,
    )
    names = "due until claimed", "claimed until granted", "granted until started"
    return {
        name: percentile(microseconds, 50) / 1000
        for name, microseconds in zip(names, zip(*rows, strict=True), strict=True)
    }


class BareTimer(threading.Thread):
    """What the machine can do: sleep until half a second past, and start a shell that says the time."""

    def __init__(self, seconds: int) -> None:
        super().__init__(daemon=True)
        self._seconds = seconds
        self.milliseconds: list[float] = []

    def run(self) -> None:
        """So many times."""
        for _ in range(self._seconds):
            due = int(time.time() + 0.5) + 0.5
            time.sleep(max(0.0, due - time.time()))
            said = subprocess.run(
                ["/bin/sh", "-c", "date +%s.%N"], stdout=subprocess.PIPE, check=True, text=True
            )
            self.milliseconds.append((float(said.stdout) - due) * 1000)


def note_lateness(sheet: Sheet, what: str, milliseconds: list[float], who: Who = Who.CRONQ) -> None:
    """Note the middle one and the ninety-ninth of a hundred."""
    sheet.add(f"{what}, p50", percentile(milliseconds, 50), "ms", who)
    sheet.add(f"{what}, p99", percentile(milliseconds, 99), "ms", who)
