"""`cat > file` through a pipe: what writing down the output of a command costs at least."""

import subprocess
import time
from pathlib import Path

from bench.use import MIB


def mebibytes_per_second(command: str, size: int, folder: Path) -> float:
    """Write the output of a command, which is so many bytes, into a file in that folder."""
    path = folder / "bare"
    began = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", f"{command} | cat > {path}"], check=True)
    took = time.perf_counter() - began
    path.unlink()
    return size / MIB / took
