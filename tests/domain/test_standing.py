"""Which daemons are up, and what of their ends people are told."""

from datetime import datetime, timedelta
from unittest import TestCase

from cronq.domain.concerns import Concern, ConcernKind
from cronq.domain.standing import SILENT_AFTER, Daemon, DaemonKind, stand
from cronq.domain.tallying import HOUR, HOURS, OFTEN, hours_to_count, latest_hours

NOW = datetime(2026, 1, 2, 12, 30)
SECOND = timedelta(seconds=1)


def daemon(name: str = "a.1", seen: timedelta = SECOND, **rest: object) -> Daemon:
    """An injector of which there was a sign so long ago."""
    usual: dict[str, object] = {
        "kind": DaemonKind.INJECTOR,
        "host": name.partition(".")[0],
        "version": "1.0",
        "started_at": NOW - HOUR,
        "connected": True,
    }
    return Daemon(**usual | {"name": name, "seen_at": NOW - seen} | rest)  # type: ignore[arg-type]


class StandingTests(TestCase):
    def test_alive(self) -> None:
        """Whoever has given a sign within a minute is up."""
        standing = stand([daemon("a.1", SILENT_AFTER), daemon("b.1", SILENT_AFTER + SECOND)], NOW)
        self.assertEqual([each.name for each in standing.alive_of(DaemonKind.INJECTOR)], ["a.1"])
        self.assertEqual([each.name for each in standing.silent_of(DaemonKind.INJECTOR)], ["b.1"])
        self.assertEqual(standing.alive_of(DaemonKind.RESULTS), ())

    def test_replaced(self) -> None:
        """Who was killed and has been started again on the same host is not missed; on another host it is."""
        gone = daemon("a.1", timedelta(minutes=10))
        for name, started, missed in (("a.2", 9, 0), ("b.2", 9, 1), ("a.2", 11, 1)):
            again = daemon(name, started_at=NOW - timedelta(minutes=started))
            self.assertEqual(len(stand([gone, again], NOW).silent), missed, (name, started))
        other = daemon("a.2", started_at=NOW - timedelta(minutes=9), kind=DaemonKind.RESULTS)
        self.assertEqual(len(stand([gone, other], NOW).silent), 1)

    def test_broker(self) -> None:
        """The broker is up as long as anybody is connected; when nobody is there, nobody knows."""
        cut_off = daemon("b.1", connected=False)
        standing = stand([daemon(), cut_off], NOW)
        self.assertEqual((standing.broker_is_up, standing.cut_off), (True, (cut_off,)))
        self.assertIs(stand([cut_off], NOW).broker_is_up, False)
        self.assertIsNone(stand([daemon("a.1", HOUR)], NOW).broker_is_up)


class HoursTests(TestCase):
    """Which hours are to be counted."""

    def test_latest(self) -> None:
        """The present hour is the last of a day."""
        hours = latest_hours(NOW)
        self.assertEqual((len(hours), hours[0]), (HOURS, datetime(2026, 1, 1, 13)))
        self.assertEqual(hours[-1], datetime(2026, 1, 2, 12))

    def test_new(self) -> None:
        """At first all are counted, the present one before the others."""
        self.assertEqual(hours_to_count({}, NOW), list(reversed(latest_hours(NOW))))

    def test_old(self) -> None:
        """The present hour is counted every minute, and the others the more seldom the older they are."""
        hours = latest_hours(NOW)
        counted = dict.fromkeys(hours, NOW)
        self.assertEqual(hours_to_count(counted, NOW), [])
        self.assertEqual(hours_to_count(counted, NOW + OFTEN), [hours[-1]])
        later = NOW + timedelta(minutes=20)
        due = hours_to_count(counted, later)
        self.assertIn(hours[-4], due)
        self.assertNotIn(hours[-20], due)
        self.assertIn(hours[-20], hours_to_count(counted, NOW + timedelta(minutes=65)))

    def test_clock_goes_back(self) -> None:
        """A count of the future is none."""
        hours = latest_hours(NOW)
        self.assertEqual(hours_to_count(dict.fromkeys(hours, NOW + SECOND), NOW), list(reversed(hours)))


class ConcernTests(TestCase):
    def test_weight(self) -> None:
        """Jobs count one by one, and none of them twice; what is wrong with the installation counts once."""
        for kind, weight in ((ConcernKind.FAILING, 7), (ConcernKind.LOST, 7), (ConcernKind.LATE, 1)):
            self.assertEqual(Concern(kind, 7).weight, weight)
