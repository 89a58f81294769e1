"""Looking on in a real browser while a real command writes."""

import json

from tests.integration import looking_on, test_all_in_one
from tests.integration.installation import InstallationCase


class OnServersTests(looking_on.LiveOutput, InstallationCase):
    """With RabbitMQ and MariaDB."""

    def begin(self, *jobs: dict[str, str]) -> None:
        self.start_all()
        self.put(*jobs)


class AllInOneTests(looking_on.LiveOutput):
    """All in one process."""

    sql = test_all_in_one.AllInOneTests.sql

    def begin(self, *jobs: dict[str, str]) -> None:
        document = self.folder / "cronq.config"
        document.write_text(json.dumps({"category": "example", "jobs": jobs}))
        self.use_web(self.start("cronq", "--load", str(document)))
        self.until(lambda: self.status() == "OK" and self.ask("/api/jobs").json["data"]["jobs"])
