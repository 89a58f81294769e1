"""The command line as a process of its own, beside real daemons."""

import subprocess
import sys

from tests.integration.installation import DaemonCase
from tests.servers.sandbox import ROOT

CLI = "import sys; from cronq.commands.cli import main; sys.exit(main())"


class CommandLineCase(DaemonCase):
    """`cronq`, with the database of an all-in-one start, and the web that is used."""

    def cli(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """What `cronq` prints; it has to succeed."""
        done = subprocess.run(
            [sys.executable, "-c", CLI, *arguments],
            input=stdin,
            env=self.cli_environment() | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, "Traceback" in done.stderr), (0, False), done.stderr)
        return done.stdout.strip()

    def cli_environment(self) -> dict[str, str]:
        """Where everything is."""
        where = {"CRONQ_URL": self.web_url} if self.web_url else {}
        return {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"sqlite:///{self.folder}/state/cronq.sqlite",
            "HOME": str(self.folder),
        } | where
