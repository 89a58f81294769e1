"""`GET /events`: what listeners are told, and how little is read for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

from sqlalchemy import Connection, update
from twisted.internet.defer import Deferred

from cronq.database.gateway import Database
from cronq.database.tables import runners, runs
from cronq.database.users import add_user
from cronq.domain.access import SHELL, Role
from cronq.domain.errors import DatabaseUnavailable
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.messages import Report
from cronq.domain.runs import Status
from cronq.web.actions.pulse import APART, AT_ONCE, INTERVAL, LONGEST_SILENCE, Pulse
from cronq.web.http.streams import Event
from tests.web.seed import NOW, add_category, add_event, add_job, add_run, add_runner
from tests.web.support import HOST, WebTestCase


class Listener:
    """Somebody who hears what is told, as fast as it is told."""

    def __init__(self, pulse: Pulse) -> None:
        self.heard: list[Event] = []
        self.flow = Deferred.fromCoroutine(self._listen(pulse))
        self.flow.addErrback(lambda _: None)

    async def _listen(self, pulse: Pulse) -> None:
        events = pulse.events()
        try:
            async for event in events:
                self.heard.append(event)
        finally:
            await events.aclose()

    def names(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return [event.name for event in heard]


class PulseTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")
        self.run_id = self.write(add_run, self.job, Status.QUEUED)
        self.write(add_runner, "r")
        self.reads = 0
        self.away: Exception | None = None
        self.pulse = Pulse(self.counting(), self.clock)

    def counting(self) -> Database:
        """The database, which counts how often it is read, and fails when it is to."""
        database = mock.Mock()

        async def read(function: Callable[..., Any]) -> Any:
            self.reads += 1
            if self.away is not None:
                raise self.away
            return await self.database.read(function)

        database.read = read
        return database

    def listen(self) -> Listener:
        listener = Listener(self.pulse)
        self.addCleanup(listener.flow.cancel)
        self.clock.advance(0)
        return listener

    def test_what_changes(self) -> None:
        """Whatever pages show, its change is told at the next look, and nothing is when there is none."""
        listener = self.listen()
        self.assertEqual(listener.names(), ["live", "changed"])
        for happening in self.happenings():
            self.clock.advance(INTERVAL)
            self.assertEqual(listener.names(), [])
            self.write(happening)
            self.clock.advance(INTERVAL)
            self.assertEqual(listener.names(), ["changed"])

    def happenings(self) -> list[Callable[[Connection], Any]]:
        """Things that happen."""
        running, lost = (update(runs).values(status=each.value) for each in (Status.RUNNING, Status.LOST))
        silent = update(runners).values(status=RunnerStatus.SILENT.value)
        return [
            lambda connection: add_run(connection, self.job, Status.QUEUED),
            lambda connection: add_event(connection, self.job, self.run_id, Report.STARTING, NOW),
            lambda connection: connection.execute(running),
            lambda connection: connection.execute(lost),
            lambda connection: add_runner(connection, "other"),
            lambda connection: connection.execute(silent),
            lambda connection: add_user(connection, SHELL, "vera", Role.VIEWER, None, None),
        ]

    def test_heartbeats(self) -> None:
        """Heartbeats alone are told by another name, since few pages show them."""
        listener = self.listen()
        listener.names()
        heard = update(runners).values(last_heard=NOW + timedelta(seconds=10))
        self.write(lambda connection: connection.execute(heard))
        self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["heard"])

    def test_many(self) -> None:
        """It is looked once in two seconds for all who listen; and not at all when nobody does."""
        self.clock.advance(60)
        self.assertEqual(self.reads, 0)
        listeners = [self.listen() for _ in range(AT_ONCE)]
        for _ in range(4):
            self.clock.advance(INTERVAL / 2)
        self.assertEqual(self.reads, 3)
        self.write(add_run, self.job, Status.QUEUED)
        self.clock.advance(INTERVAL)
        self.assertEqual({tuple(each.names())[-1] for each in listeners}, {"changed"})
        for each in listeners:
            each.flow.cancel()
        self.assertEqual(self.reads, 4)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_crowd(self) -> None:
        """Of very many, not all are told in the same moment: each of them reads a page then."""
        listeners = [self.listen() for _ in range(5 * AT_ONCE)]
        for _ in range(120):
            self.clock.advance(APART)
        for listener in listeners:
            listener.names()
        listeners.pop().flow.cancel()
        self.write(add_run, self.job, Status.QUEUED)
        told = []
        for _ in range(120):
            self.clock.advance(APART)
            told.append(sum(listener.names().count("changed") for listener in listeners))
        self.assertEqual(sum(told), len(listeners))
        self.assertEqual((max(told), sorted(told)[-2]), (AT_ONCE, 1))

    def test_crowd_that_goes(self) -> None:
        """Nothing is left to be done when all have gone before they were told."""
        listeners = [self.listen() for _ in range(2 * AT_ONCE)]
        self.clock.advance(0)
        for listener in listeners:
            listener.flow.cancel()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_quick_succession(self) -> None:
        """Whoever goes from page to page does not make it look more often, and misses nothing."""
        for _ in range(10):
            self.listen().flow.cancel()
        self.assertEqual(self.reads, 1)
        self.write(add_run, self.job, Status.QUEUED)
        listener = self.listen()
        self.assertEqual(listener.names(), ["live"])
        self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["changed"])

    def test_age(self) -> None:
        """A listener hears how old the last change is, and so whether its page is younger."""
        self.listen().flow.cancel()
        self.clock.advance(10)
        listener = self.listen()
        self.assertEqual(listener.heard[0], Event("10.0", name="live"))
        self.assertEqual(listener.names(), ["live"])

    def test_silence(self) -> None:
        """Something is said now and then, so that a dead connection is known from a quiet one."""
        listener = self.listen()
        listener.names()
        for _ in range(int(LONGEST_SILENCE / INTERVAL) + 1):
            self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["quiet"])

    def test_trouble(self) -> None:
        """An outage of the database is told once; its end is a change, as nobody knows what was missed."""
        listener = self.listen()
        listener.names()
        self.away = DatabaseUnavailable("away")
        self.clock.advance(INTERVAL)
        self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["trouble"])
        self.assertEqual(self.listen().names(), ["trouble"])
        self.away = None
        self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["changed"])

    def test_mistake(self) -> None:
        """A mistake of ours is trouble, too, and the log has it once."""
        listener = self.listen()
        self.away = ZeroDivisionError()
        self.clock.advance(INTERVAL)
        self.clock.advance(INTERVAL)
        self.assertEqual(listener.names(), ["live", "changed", "trouble"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class EventsTests(WebTestCase):
    def test_route(self) -> None:
        """Whoever may look is sent events as they come."""
        response = self.successResultOf(self.client.get(f"{HOST}/events"))
        self.assertEqual(response.headers.getRawHeaders("Content-Type"), ["text/event-stream; charset=utf-8"])
        body = response.content()
        self.site.streams.end_all()
        self.client.flush()
        self.assertIn(b"event: live\n", self.successResultOf(body))
