"""What processes cost: processor time and memory, as the kernel counts them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Sheet
from tests.servers import keeper

MIB = 2**20
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Use:
    """Seconds of processor since the process began, and bytes that are in memory now."""

    cpu: float = 0.0
    rss: int = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(self.cpu + other.cpu, self.rss + other.rss)


def use_of(pid: int) -> Use:
    """What one process has used, with the ended children that it waited for left out; proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Use((int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE)


def use_of_all(folder: Path) -> Use:
    """What all processes have used that run for a folder of the sandbox: a server with its helpers."""
    total = Use()
    for pid in keeper.processes_of(folder):
        with suppress(OSError):  # it has just ended
            total += use_of(pid)
    return total


def note_costs(
    sheet: Sheet, before: Mapping[str, Use], after: Mapping[str, Use], count: int, what: str = "run"
) -> None:
    """Note how much processor time each daemon and server has taken for each of so many runs, or messages."""
    for name, then in before.items():
        spent = after[name].cpu - then.cpu
        sheet.add(f"processor time of {name}", spent / count * 1e6, f"µs/{what}")
