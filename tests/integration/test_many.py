"""A thousand jobs that are due at one instant, with two of each daemon."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.installation import InstallationCase, job
from tests.servers import Daemon

COUNT = 1000
#: Seconds from a document that is sent to its slots; more at the next try when it takes longer to store it.
FIRST_MARGIN = 4


def use_of(daemon: Daemon) -> tuple[int, int]:
    """How many descriptors and threads a daemon has."""
    process = Path(f"/proc/{daemon.pid}")
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


class ManyTests(InstallationCase):
    """Everything at :00."""

    def test_drained(self) -> None:
        """All run, each once, at their slot; afterwards no daemon holds more than it did after fewer."""
        names = "cronq-injector", "cronq-results", "cronq-runner"
        daemons = self.start_all(*names, *names, "cronq-web", CRONQ_CONCURRENCY="16")
        slot = self.put_before_slot()
        self.until(lambda: self.count("status IN ('queued', 'running')", slot) == 0 and self.recorded())
        self.assertEqual(self.count("status = 'succeeded'", slot), COUNT)
        self.assert_each_once(COUNT)
        self.tell_figures(slot)
        self.assert_shared(daemons)
        self.assert_no_leak(daemons)

    def put_before_slot(self) -> datetime:
        """Put a thousand jobs with one common slot in place, before it; answers the slot."""
        margin = FIRST_MARGIN
        while True:
            slot = datetime.now(UTC).replace(microsecond=0, tzinfo=None) + timedelta(seconds=margin)
            schedule = f"R1/{slot.isoformat()}Z/P1D"
            self.put(*(job(f"job {n}", self.record(), schedule) for n in range(COUNT)))
            if datetime.now(UTC).replace(tzinfo=None) < slot:
                return slot
            margin *= 2

    def count(self, condition: str, slot: datetime) -> int:
        """How many runs of that slot are like that."""
        ((found,),) = self.sql(f"SELECT COUNT(*) FROM runs WHERE slot = %s AND {condition}", slot)
        return int(found)

    def assert_each_once(self, count: int) -> None:
        """As many runs are recorded as commands have run, and no command ran twice."""
        ran = sorted(self.recorded())
        self.assertEqual(len(ran), count)
        self.assertEqual(ran, sorted(run_id for (run_id,) in self.sql("SELECT run_id FROM runs")))
        events = dict(self.sql("SELECT type, COUNT(*) FROM events GROUP BY type"))
        self.assertEqual(events, {"starting": count, "finished": count})

    def tell_figures(self, slot: datetime) -> None:
        """Print what each kind of daemon did in a second; nothing depends on it."""
        (row,) = self.sql(
            "SELECT MAX(published_at), MIN(granted_at), MAX(granted_at), MIN(started_at), MAX(ended_at),"
            " MAX(recorded_at) FROM runs WHERE slot = %s",
            slot,
        )
        published, first_grant, last_grant, started, ended, recorded = row
        for what, begin, end in (
            ("injectors: claimed and published", slot, published),
            ("results: granted", first_grant, last_grant),
            ("runners: started and ended", started, ended),
            ("all: from the slot to the last result in the database", slot, recorded),
        ):
            seconds = (end - begin).total_seconds()
            print(f"    {what}: {COUNT / seconds:.0f} jobs/s ({seconds:.2f} s)")  # noqa: T201

    def assert_shared(self, daemons: list[Daemon]) -> None:
        """Both runners have had their part, and all is in their logs."""
        ended = [len(re.findall(r": ended with 0 after", each.output)) for each in daemons]
        self.assertEqual(sum(ended), COUNT)
        self.assertEqual(len([count for count in ended if count]), 2, ended)

    def assert_no_leak(self, daemons: list[Daemon]) -> None:
        """Rounds of runs by hand cost no daemon a descriptor or a thread."""
        self.more_rounds(1)
        before = [use_of(each) for each in daemons]
        self.more_rounds(2)
        self.assert_each_once(COUNT + 3 * 111)
        for each, used in zip(daemons, before, strict=True):
            # A pool may still grow by the connections to the database that it had no need of so far.
            grown = [after - before for after, before in zip(use_of(each), used, strict=True)]
            self.assertLessEqual(max(grown), 3, each.output)

    def more_rounds(self, rounds: int) -> None:
        """Run 111 of the jobs again, and wait for the end."""
        for _ in range(rounds):
            self.run_by_hand("job 1%")
            self.until(lambda: not self.sql("SELECT 1 FROM jobs WHERE run_now = 1"))
            self.until(lambda: not self.sql("SELECT 1 FROM runs WHERE status IN ('queued', 'running')"))
