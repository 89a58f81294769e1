"""Many processes that start and die at the same time never share a folder, and none stumbles over another."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.servers import ROOT

#: Takes folders, marks each as its own, and leaves one of them behind for others.
PROGRAM = """
import os, sys
from pathlib import Path
from cronq.services.state_folder import lock_free_folders

for _ in range(500):
    own, *left = lock_free_folders(Path(sys.argv[1]))
    for folder in (own, *left):
        os.close(os.open(folder.path / "owner", os.O_CREAT | os.O_EXCL))
    for folder in left:
        folder.clear()
    (own.path / "owner").unlink()
    own.release()
"""


class StateFolderTests(SynchronousTestCase):
    def test_many_at_once(self) -> None:
        """Whatever the order in which they take, leave and clear folders, each folder has one owner."""
        runners = Path(self.mktemp()).absolute()
        command = [sys.executable, "-c", PROGRAM, str(runners)]
        processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        outputs = [process.communicate()[1] for process in processes]
        self.assertEqual(
            [(process.returncode, out) for process, out in zip(processes, outputs, strict=True)],
            [(0, "")] * 6,
        )
