"""The main job from end to end: four daemons, RabbitMQ and MariaDB, and a person at the pages."""

import socket
from datetime import timedelta

from tests.integration.installation import EVERY_SECOND, InstallationCase, job


class ThreadTests(InstallationCase):
    """A category is put in place, and its jobs run."""

    def test_on_time(self) -> None:
        """Jobs run at their slots, and the results are in the database, on the pages and in the API."""
        self.start_all()
        others = (
            job("Fails", "echo out; echo err >&2; exit 3"),
            job("By signal", "kill -9 $$"),
            job("Not there", "no-such-program"),
            job("Later", self.record("later")),
        )
        self.put(job("Each second", self.record(), EVERY_SECOND), *others)
        for name in ("Fails", "By signal", "Not there"):
            self.run_by_hand(name)
            self.until_all(1, "failed", name)
        self.until(lambda: self.statuses("Each second").count("succeeded") >= 3)
        self.put(*others)
        self.until(lambda: set(self.statuses("Each second")) == {"succeeded"})
        self._look_at_slots()
        self._look_at_database()
        self._look_at_api()
        self._look_at_pages()

    def _look_at_slots(self) -> None:
        rows = self.sql(
            "SELECT run_id, slot, started_at FROM runs JOIN jobs ON jobs.id = runs.job_id"
            " WHERE name = 'Each second' ORDER BY slot"
        )
        self.assertEqual(sorted(self.recorded()), sorted(run_id for run_id, _, _ in rows))
        slots = [slot for _, slot, _ in rows]
        self.assertEqual(slots, [slots[0] + n * timedelta(seconds=1) for n in range(len(slots))])
        self.assertTrue(all(started >= slot for _, slot, started in rows))
        self.assertEqual(self.recorded("later"), [])

    def _look_at_database(self) -> None:
        ((status, code, host, attempt, seconds),) = self.sql(
            "SELECT status, return_code, host, attempt, run_time FROM runs"
            " JOIN jobs ON jobs.id = runs.job_id WHERE name = 'Fails'"
        )
        self.assertEqual((status, code, host, attempt), ("failed", 3, socket.gethostname(), 1))
        self.assertGreater(seconds, 0)
        events = self.sql(
            "SELECT type, return_code FROM events JOIN jobs ON jobs.id = events.job_id WHERE name = 'Fails'"
        )
        self.assertEqual(sorted(events, key=str), [("finished", 3), ("starting", None)])

    def _look_at_api(self) -> None:
        fails = self.job("Fails")
        self.assertEqual((fails["last_run_status"], fails["current_status"]), ("failed", "failed"))
        (run,) = fails["runs"]
        self.assertEqual((run["status"], run["return_code"]), ("failed", 3))
        self.assertLessEqual(run["started_at"], run["completed_at"])
        codes = {
            name: self.sql(
                "SELECT return_code FROM runs JOIN jobs ON jobs.id = runs.job_id WHERE name = %s", name
            )
            for name in ("By signal", "Not there")
        }
        self.assertEqual(codes, {"By signal": [(137,)], "Not there": [(127,)]})
        later = self.job("Later")
        self.assertEqual((later["runs"], later["current_status"]), ([], "none"))
        self.assertEqual(later["next_run"], "2126-01-01T00:00:00")

    def _look_at_pages(self) -> None:
        fails = self.job("Fails")
        for path, words in (
            ("/", ("Fails", "Later", "example")),
            ("/failures", ("Fails",)),
            (f"/job/{fails['id']}", ("Fails", "exit 3", "Run now")),
            (f"/run/{fails['runs'][0]['id']}", ("Fails", socket.gethostname())),
        ):
            answer = self.ask(path)
            self.assertEqual(answer.status, 200)
            for word in words:
                self.assertIn(word, answer.text, path)
        self.assertEqual(self.log("Fails").read_text(), "out\nerr\n")

    def test_run_now(self) -> None:
        """A run by hand begins although no slot is near, once for each time it is asked for."""
        self.start_all()
        command = f'{self.record()}; echo "$CRONQ_JOB_NAME|$CRONQ_SLOT|$CRONQ_ATTEMPT|$CRONQ_JOB_ID"'
        self.put(job("By hand", command))
        job_id = self.job("By hand")["id"]
        self.assertEqual(self.ask(f"/api/jobs/{job_id}/run", b"", "POST").status, 200)
        self.until_all(1)
        answer = self.ask(f"/job/{job_id}", b"run_now=1")
        self.assertEqual(answer.status, 200)  # after the redirect
        self.until_all(2)
        self.assertEqual(len(self.recorded()), 2)
        self.assertEqual(self.log("By-hand").read_text(), f"By hand||1|{job_id}\n" * 2)
        self.assertEqual([run["slot"] for run in self.job("By hand")["runs"]], [None, None])

    def test_changed_command(self) -> None:
        """A command that is changed is used from the next slot on, and nobody has to be restarted."""
        self.start_all()
        self.put(job("Changing", self.record("old"), EVERY_SECOND))
        self.until(lambda: self.recorded("old"))
        self.put(job("Changing", self.record("new"), EVERY_SECOND))
        self.until(lambda: self.recorded("new"))
        self.put()
        self.until(lambda: set(self.statuses()) == {"succeeded"})
        rows = self.sql("SELECT run_id FROM runs ORDER BY slot")
        self.assertEqual(self.recorded("old") + self.recorded("new"), [run_id for (run_id,) in rows])

    def test_environment(self) -> None:
        """A command has the runner's environment and its own variables, and none of cronq's secrets."""
        self.start_all(CRONQ_HIDE="HIDDEN", HIDDEN="x", SHOWN="y", SECRET_KEY="s3cret")
        self.put(job("Environment", 'env > "$EVIDENCE/$CRONQ_RUN_ID"', EVERY_SECOND))
        self.until(lambda: "succeeded" in self.statuses())
        ((run_id, slot),) = self.sql("SELECT run_id, slot FROM runs WHERE status = 'succeeded' LIMIT 1")
        variables = dict(line.split("=", 1) for line in self.recorded(run_id))
        self.assertEqual(variables["SHOWN"], "y")
        self.assertEqual(variables["CRONQ_SLOT"], f"{slot.isoformat()}Z")
        self.assertEqual(variables["CRONQ_RUN_ID"], run_id)
        self.assertEqual({"HIDDEN", "CRONQ_HIDE", "RABBITMQ_URL", "SECRET_KEY"} & variables.keys(), set())

    def test_nothing_elsewhere(self) -> None:
        """The daemons write into the folders that they are given, and nowhere else."""
        self.start_all()
        self.put_and_run(job("Tidy", "echo x"))
        self.until_all(1)
        self.end_all()
        runner = {"state/runners/home", "state/runners/1/lock", "state/runners/1/notes"}
        self.assertEqual(self.files(), {"log/Tidy.log"} | runner)
