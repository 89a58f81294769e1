"""What each daemon loads: what it has no use for would cost every one of them memory and a later start."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

DATABASE = {"sqlalchemy", "pymysql", "sqlite3"}
WEB = {"klein", "jinja2", "werkzeug", "argon2"}
#: What is needed by few, or rarely, and then loaded.
RARE = {"alembic", "mako", "jsonschema", "click", "sentry_sdk"}
#: By the module of a daemon: what it must not have loaded when it is told what to do.
USELESS = {
    "runner": DATABASE | WEB | RARE,
    "injector": WEB | RARE,
    "results": WEB | RARE,
    "web": RARE | {"pika"},
    "all_in_one": RARE | {"pika"},
}
SCRIPT = """
import sys
import cronq.commands.{module}
print(*sorted({useless} & set(sys.modules)))
"""


class WeightTests(SynchronousTestCase):
    def test_useless(self) -> None:
        """No daemon loads what it has no use for."""
        for module, useless in USELESS.items():
            script = SCRIPT.format(module=module, useless=useless)
            ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
            self.assertEqual((ran.stdout, ran.stderr), ("\n", ""), module)
