"""Signs of life, and the counts of each hour, on any database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from cronq.database.attendance import Attendee, attend, leave
from cronq.database.reading.hours import MOST_COUNTED, Hours, read_hours
from cronq.database.reading.standing import read_last_slot, read_standing
from cronq.database.standing_tables import daemons, hourly_runs
from cronq.database.tables import jobs, runs
from cronq.database.tallies import count_hour, keep_count, next_to_count
from cronq.domain.runs import Status, new_run_id, new_run_ids
from cronq.domain.standing import KEPT, DaemonKind, Standing
from cronq.domain.tallying import HOUR, HOURS, hour_of
from tests.database.store import StoreCase, at, job

INJECTOR = Attendee(DaemonKind.INJECTOR, "host.1", "host", "1.0")
RESULTS = Attendee(DaemonKind.RESULTS, "host.1", "host", "1.0")
SECOND = timedelta(seconds=1)


class AttendanceTests(StoreCase):
    """Daemons that leave signs, and go."""

    def standing(self) -> Standing:
        return self.read(read_standing, self.now)

    def test_signs(self) -> None:
        """A sign has the time of the database and the connection of then; its daemon has one row."""
        self.do(attend, INJECTOR, True, True)
        begun = self.now
        self.now += timedelta(seconds=10)
        self.do(attend, INJECTOR, False, False)
        self.do(attend, RESULTS, True, True)
        injector, results = sorted(self.standing().alive, key=lambda each: each.kind)
        self.assertEqual((injector.started_at, injector.seen_at), (begun, self.now))
        self.assertEqual((injector.connected, results.connected), (False, True))

    def test_leave(self) -> None:
        """Who ends in good order is not missed; the other daemon of its process stays."""
        self.do(attend, INJECTOR, True, True)
        self.do(attend, RESULTS, True, True)
        self.do(leave, INJECTOR)
        self.assertEqual([each.kind for each in self.standing().alive], [DaemonKind.RESULTS])

    def test_silent(self) -> None:
        """Who is killed is told of for a day, and is back when there is another sign."""
        self.do(attend, INJECTOR, True, True)
        self.now += timedelta(minutes=3)
        self.assertEqual([each.name for each in self.standing().silent], ["host.1"])
        self.do(attend, INJECTOR, True, False)
        self.assertEqual(self.standing().silent, ())
        self.now += KEPT + SECOND
        self.assertEqual(self.standing(), Standing())

    def test_forgotten(self) -> None:
        """A daemon that begins forgets those that have been gone for a day; who was forgotten comes back."""
        self.do(attend, INJECTOR, True, True)
        self.now += KEPT + SECOND
        self.do(attend, RESULTS, True, True)
        rows = self.read(lambda connection: connection.execute(select(daemons)).all())
        self.assertEqual([row.kind for row in rows], ["results"])
        self.do(attend, INJECTOR, True, False)
        self.assertEqual(len(self.standing().alive), 2)

    def test_dead_beside_it(self) -> None:
        """Who begins takes away the signs of those of its kind and host that have ended without doing so."""
        others = ("host.2", "host"), ("host.3", "host"), ("other.2", "other")
        for name, host in others:
            self.do(attend, Attendee(DaemonKind.INJECTOR, name, host, "1.0"), True, True)
        self.do(attend, replace(RESULTS, name="host.2"), True, True)
        self.do(attend, INJECTOR, True, True, lambda name: name.endswith(".2"))
        alive = self.standing().alive_of(DaemonKind.INJECTOR)
        self.assertEqual(sorted(each.name for each in alive), ["host.1", "host.3", "other.2"])
        self.assertEqual(len(self.standing().alive_of(DaemonKind.RESULTS)), 1)

    def test_name_comes_again(self) -> None:
        """In a container each process may have the same name: it is a new one all the same."""
        self.do(attend, INJECTOR, True, True)
        self.now += HOUR
        self.do(attend, INJECTOR, True, True)
        (found,) = self.standing().alive
        self.assertEqual(found.started_at, self.now)


class HourTests(StoreCase):
    """Runs, and how many there were in each hour."""

    def setUp(self) -> None:
        super().setUp()
        self.now = at(12, 30)
        self.put(job())
        self.job = int(self.row(jobs)["id"])

    def add(self, hours_ago: int, status: Status, count: int = 1, **columns: Any) -> None:
        """Runs that were made so many hours ago."""
        moment = self.now - HOUR * hours_ago
        same = {"job_id": self.job, "status": status.value, "queued_at": moment}
        rows = [{"run_id": run_id} | same | columns for run_id in new_run_ids(moment, count)]
        for first in range(0, count, 5000):
            self.execute(insert(runs), rows[first : first + 5000])

    def count(self) -> int:
        """Count what is to be counted; gives how many hours that were."""
        counted = 0
        while (hour := self.read(next_to_count)) is not None:
            self.do(keep_count, self.read(count_hour, hour))
            counted += 1
        return counted

    def hours(self) -> Hours:
        return self.read(read_hours, self.now)

    def test_counted(self) -> None:
        """Each run counts in the hour in which it was made, with the status that it has by now."""
        self.add(3, Status.SUCCEEDED, 3)
        self.add(3, Status.FAILED)
        self.add(1, Status.SUCCEEDED)
        self.add(0, Status.RUNNING)
        self.add(0, Status.QUEUED, publish_after=self.now)
        self.assertEqual(self.count(), HOURS)
        counts = self.hours().counts
        self.assertEqual(counts[-4], {Status.SUCCEEDED: 3, Status.FAILED: 1})
        self.assertEqual(counts[-2], {Status.SUCCEEDED: 1})
        self.assertEqual(counts[-1], {Status.RUNNING: 1, Status.QUEUED: 1})
        self.assertEqual(counts[0], {})

    def test_present_hour(self) -> None:
        """The present hour is counted at once as long as it has few runs."""
        self.count()
        self.add(0, Status.SUCCEEDED, 2)
        self.assertEqual(self.hours().counts[-1], {Status.SUCCEEDED: 2})

    def test_nobody_counts(self) -> None:
        """Where no results daemon has been up, hours with few runs are counted; of others nothing is said."""
        self.add(2, Status.SUCCEEDED, MOST_COUNTED + 1)
        self.add(1, Status.FAILED)
        counts = self.hours().counts
        self.assertEqual((counts[-3], counts[-2]), (None, {Status.FAILED: 1}))

    def test_busy_hour(self) -> None:
        """A present hour with many runs is as it was counted last."""
        self.add(0, Status.SUCCEEDED, MOST_COUNTED)
        self.count()
        counted_at = self.now
        self.now += timedelta(seconds=40)
        self.add(0, Status.SUCCEEDED, 10)
        self.assertEqual(self.hours().counts[-1], {Status.SUCCEEDED: MOST_COUNTED})
        self.assertEqual(self.hours().counted_at, counted_at)

    def test_corrected(self) -> None:
        """What ends late is in the count of its hour some time later, and hours of long ago are forgotten."""
        self.add(2, Status.RUNNING)
        self.count()
        self.execute(runs.update().values(status=Status.LOST.value))
        self.now += timedelta(minutes=10)
        self.count()
        self.assertEqual(self.hours().counts[-3], {Status.LOST: 1})
        self.now += 30 * HOUR
        self.count()
        hours = self.read(lambda connection: connection.scalars(select(hourly_runs.c.hour)).all())
        self.assertEqual(min(hours), hour_of(self.now) - HOUR * (HOURS - 1))

    def test_two_at_once(self) -> None:
        """Two daemons that count the same hour do not hinder each other."""
        counted = self.read(count_hour, hour_of(self.now))
        self.do(keep_count, counted)
        self.do(keep_count, counted)
        self.assertEqual(self.hours().counts[-1], {})

    def test_ids_of_others(self) -> None:
        """Runs whose ids do not tell when they were made, as 0.27 made them, are counted where they stand."""
        self.add(1, Status.SUCCEEDED)
        self.add(1, Status.FAILED, run_id="f" * 32)
        self.add(0, Status.SUCCEEDED)
        self.count()
        self.assertEqual(self.hours().counts[-2], {Status.SUCCEEDED: 1, Status.FAILED: 1})


class LastSlotTests(StoreCase):
    """How late the last slot was."""

    def test_last(self) -> None:
        """It is that of the newest run that an injector made in time, and not one of those made besides."""
        self.assertIsNone(self.read(read_last_slot))
        self.put(job())
        self.now = at(0, 1, 2)
        self.claim()
        last = self.read(read_last_slot)
        assert last is not None
        self.assertEqual((last.slot, last.late), (at(0, 1), timedelta(seconds=2)))
        self.now = at(0, 5, 1)
        self.claim()  # three are missed
        job_id = int(self.row(jobs)["id"])
        by_hand = {
            "run_id": new_run_id(self.now),
            "job_id": job_id,
            "status": "queued",
            "queued_at": self.now,
        }
        self.execute(insert(runs), by_hand)
        last = self.read(read_last_slot)
        assert last is not None
        self.assertEqual((last.slot, last.late), (at(0, 5), SECOND))
