"""Signs of life that daemons leave, and what is kept up of the hours, while they come and go."""

from cronq.database.attendance import Attendee
from cronq.database.reading.hours import read_hours
from cronq.database.reading.standing import read_standing
from cronq.domain.runs import Status
from cronq.domain.standing import DaemonKind, Standing
from cronq.services.attendance import Attendance
from cronq.services.tables import Tables
from cronq.services.tallying import Tallying
from tests.services.cases import WorldTestCase, each_minute
from tests.services.process import Process

HOUR = 3600.0


class AttendanceTests(WorldTestCase):
    def start(self, name: str, kind: DaemonKind = DaemonKind.INJECTOR) -> Process:
        """A daemon that does nothing but leave signs."""
        process = self.world.process(name)
        database = self.world._database_of(process)
        who = Attendee(kind, name, name.partition(".")[0], "1.0")
        process.run(Attendance(database, Tables(database, create=False), process.broker, process.clock, who))
        self.world.run_for(1)
        return process

    def standing(self) -> Standing:
        return self.world.do(read_standing, self.world.now())

    def test_up(self) -> None:
        """Several daemons, also of one kind, are seen as long as they are up."""
        self.start("a.1")
        self.start("b.1")
        self.start("b.2", DaemonKind.RESULTS)
        self.world.run_for(HOUR)
        self.assertEqual(len(self.standing().alive), 3)
        self.assertIs(self.standing().broker_is_up, True)

    def test_stopped_and_killed(self) -> None:
        """Who stops in good order is forgotten at once; who is killed is missed until it is started again."""
        stopping, killed = self.start("a.1"), self.start("b.1")
        stopped = stopping.stop()
        killed.kill()
        self.world.run_for(120)
        self.successResultOf(stopped)
        self.assertEqual([each.name for each in self.standing().silent], ["b.1"])
        self.start("b.2")
        self.assertEqual(self.standing().silent, ())

    def test_broker_away(self) -> None:
        """Who is cut off from the broker goes on to leave signs, and says so in them."""
        self.start("a.1")
        self.world.broker.down()
        self.world.run_for(15)
        self.assertIs(self.standing().broker_is_up, False)
        self.world.broker.up()
        self.world.run_for(15)
        self.assertIs(self.standing().broker_is_up, True)

    def test_database_away(self) -> None:
        """An outage of the database is told once, and signs go on after it; no stop waits for its end."""
        process = self.start("a.1")
        self.world.database_down()
        self.world.run_for(300)
        self.assert_said("attendance: the database does not answer")
        self.assertEqual(len(self.standing().silent), 1)
        self.world.database_up()
        self.world.run_for(15)
        self.assertEqual(len(self.standing().alive), 1)
        self.world.database_down()
        self.world.run_for(15)
        self.assert_stops(process.stop(), 0)


class TallyingTests(WorldTestCase):
    def test_kept_up(self) -> None:
        """A minute later the counts have in them what has run, though two daemons have the same duty."""
        for name in ("results.1", "results.2"):
            process = self.world.start_results(name)
            database = self.world._database_of(process)
            process.run(Tallying(database, Tables(database, create=False), process.clock))
        self.world.start_injector()
        self.world.start_runner()
        self.world.put(each_minute(command="5 s"))
        self.world.run_for(2 * HOUR + 65)
        hours = self.world.do(read_hours, self.world.now())
        self.assertEqual([(counts or {}).get(Status.SUCCEEDED) for counts in hours.counts[-3:]], [59, 60, 2])
