"""The schema on SQLite."""

from sqlalchemy import Engine

from cronq.database.gateway import make_engine
from tests.database import upgrading


class UpgradeTests(upgrading.UpgradeTests):
    """From nothing, in a file."""

    def new_engine(self) -> Engine:
        engine = make_engine(f"sqlite:///{self.mktemp()}")
        self.addCleanup(engine.dispose)
        return engine
