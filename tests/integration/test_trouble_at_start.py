"""Daemons that are started while something is wrong say so in one line, and come up when it is mended."""

import re

from tests.integration.installation import WANTED, InstallationCase, job
from tests.servers import Daemon, Proxy, http_get


class TroubleAtStartTests(InstallationCase):
    """Nobody has to start a daemon again."""

    def lines(self, daemon: Daemon, *namespaces: str) -> list[str]:
        """What a daemon has said of these parts of cronq, without times and levels."""
        found = (re.search(r"\[cronq\.(\S+)#\w+\] (.*)", line) for line in daemon.lines)
        return [match[2] for match in found if match and match[1].startswith(namespaces or ("",))]

    def test_broker(self) -> None:
        """Broker down, unknown host, wrong password, no such vhost: one line each; mended, all runs."""
        wire = Proxy(self.broker.port)
        self.addCleanup(wire.close)
        wire.refuse()
        vhost = self.broker_url.rpartition("/")[2]
        self.broker.drop_vhost(self.broker_url)
        user = self.broker.add_user("late", "wr0ng", self.broker.url).rpartition("/")[0]
        web = self.start("cronq-web")
        injector = self.start("cronq-injector", RABBITMQ_URL=wire.url(self.broker_url))
        runner = self.start("cronq-runner", RABBITMQ_URL=f"{user.replace('wr0ng', 'right')}/{vhost}")
        results = self.start(
            "cronq-results", RABBITMQ_URL=self.broker_url.replace("127.0.0.1", "nowhere.invalid,127.0.0.1")
        )
        where = "no connection to the broker at 127.0.0.1"
        injector.wait_for_line(f"{where}:{wire.port}: connection refused")
        runner.wait_for_line(f"{where}:{self.broker.port}: ACCESS_REFUSED for user late: wrong name or passw")
        results.wait_for_line("no connection to the broker at nowhere.invalid:5672: DNS lookup failed")
        results.wait_for_line(f"{where}:{self.broker.port}: NOT_ALLOWED - vhost {vhost} not found")
        self.mend_broker(wire, vhost)
        self.use_web(web)
        self.until(lambda: self.status() == "OK")
        self.put_and_run(job("At last", self.record()))
        self.until_all(1)
        for daemon, count in ((injector, 1), (runner, 1), (results, 2)):
            # A vhost is there for a moment before anybody may use it, and one may try just then.
            said = [line for line in self.lines(daemon, "broker") if "access to vhost" not in line]
            self.assertEqual(len(said), count + 1, said)
            self.assertIn("connected to the broker at", said[-1])
            self.assertNotIn("wr0ng", daemon.output)
            self.assertNotIn("right", daemon.output)

    def mend_broker(self, wire: Proxy, vhost: str) -> None:
        wire.restore()
        self.broker.add_vhost(vhost)
        self.broker.add_user(
            "late", "wr0ng", self.broker_url
        )  # its rights first: then the password lets it in
        self.broker.add_user("late", "right", self.broker_url)

    def test_database(self) -> None:
        """Database down, wrong password, unknown database: one line each; mended, all runs."""
        wire = Proxy(self.database.port)
        self.addCleanup(wire.close)
        wire.refuse()
        name = self.database_url.rpartition("/")[2]
        self.database.drop_database(self.database_url)
        late = self.database_url.replace("root@", f"late_{name}:s3cret@")
        injector = self.start("cronq-injector", DATABASE_URL=wire.url(self.database_url))
        results = self.start("cronq-results", DATABASE_URL=late)
        web = self.start("cronq-web", "--database-url", self.database_url)
        self.start("cronq-runner")
        injector.wait_for_line(f"[a-z]+: .*127.0.0.1:{wire.port}/.*Can't connect to MySQL server")
        results.wait_for_line(f"[a-z ]+: .*late_{name}:.*Access denied for user 'late_{name}'@")
        web.wait_for_line(f"[a-z]+: .*Unknown database '{name}'")
        self.use_web(web)
        self.assertEqual(self.status(), "503")
        self.assertEqual(self.ask("/").status, 503)
        self.database.execute(f"CREATE DATABASE {name}")
        self.database.execute(f"GRANT ALL ON {name}.* TO 'late_{name}'@'127.0.0.1' IDENTIFIED BY 's3cret'")
        for daemon in (results, web):
            daemon.wait_for_line("waiting for an injector to create or upgrade the tables")
        self.assertEqual(self.status(), "503")
        wire.restore()
        for daemon in (injector, results, web):
            daemon.wait_for_line("goes on")
        self.until(lambda: self.status() == "OK")
        self.put_and_run(job("At last", self.record()))
        self.until_all(1)
        self.assertEqual(len(self.lines(injector, "services")), 2)  # its duties share one line
        self.assertEqual(len(self.lines(results, "services")), 3)
        self.assertEqual(len(self.lines(web, "services")), 3)
        self.assertNotIn("s3cret", self.output)

    def test_wrong_order(self) -> None:
        """Whoever is started first waits for the others; the tables are made by any of two injectors."""
        names = [*reversed(WANTED), "cronq-injector"]
        daemons = self.start_all(*names)
        self.put_and_run(job("At last", self.record()))
        self.until_all(1)
        for daemon in daemons:
            self.assertLessEqual(daemon.output.count("waiting for an injector"), 1)
        self.assertEqual(http_get(f"{self.web_url}/").status, 200)
