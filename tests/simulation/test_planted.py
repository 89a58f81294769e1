"""The histories notice what is wrong with a cronq that has been spoilt on purpose."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from twisted.trial.unittest import SynchronousTestCase

from cronq.database import (
    admissions,
    backfilling,
    batch,
    books,
    categories,
    following,
    gate,
    kills,
    ledger,
    limits,
    pausing,
)
from cronq.database.tables import runs
from cronq.domain.grants import Grant
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.overlap import STARTS
from cronq.domain.reports import RunState
from cronq.domain.rules import Overlap, Rules
from cronq.domain.runs import Status
from cronq.domain.settlement import Terms
from cronq.services import injector, reporting
from cronq.services.reporting import Reports
from cronq.services.runner import Runner
from cronq.services.running import Run
from tests.simulation import faults, history, jobs, living, people
from tests.simulation.faults import Fault
from tests.simulation.jobs import NAMES

#: So many histories may be without a finding.
PATIENCE = 12
DAYS = 0.1


class PlantedTestCase(SynchronousTestCase):
    def assert_found(
        self,
        finding: str,
        weights: Mapping[Fault, int],
        names: tuple[str, ...] = NAMES[:3],
        first: int = 1,
        days: float = DAYS,
    ) -> None:
        """Histories of these faults and jobs find that sooner or later; `first` saves those that are known
        not to.
        """
        found: list[str] = []
        for seed in range(first, first + PATIENCE):
            found = living.live(seed, days, weights=weights, names=names).findings
            if any(finding in each for each in found):
                return
        self.fail(f"no history has found {finding!r}; the last one: {found}")

    def spoil(self, place: Any, name: str, spoilt: Callable[..., Any]) -> None:
        """Put a function in the place of another, which it is given as its first argument."""
        whole = getattr(place, name)
        self.patch(place, name, lambda *arguments, **options: spoilt(whole, *arguments, **options))


class LedgerTests(PlantedTestCase):
    """What is granted, reported, recorded and published."""

    def test_granted_twice(self) -> None:
        """Any request for what runs already is granted."""

        def grant(whole: Any, run: RunState, message: ResultMessage) -> Grant:
            answer: Grant = whole(run, message)
            return replace(answer, granted=answer.granted or run.status is Status.RUNNING)

        self.spoil(ledger, "grant", grant)
        self.assert_found("times", {faults.double: 1}, first=3)

    def test_report_is_dropped(self) -> None:
        """Who was away for a moment takes what he had to say for said."""

        async def publish(whole: Any, broker: Any, clock: Any, report: ResultMessage, *address: str) -> bool:
            done: bool = await whole(broker, clock, report, *address)
            return done or report.report is Report.FINISHED

        self.spoil(reporting, "publish_report", publish)
        self.assert_found("ended with", {faults.broker_away: 1, faults.cut: 1})

    def test_attempt_does_not_wait(self) -> None:
        """The next attempt starts, wherever the one before it is running."""
        self.spoil(ledger, "blocked", lambda *_: {})
        # Commands that still run when their host has been silent for so long that they are given up.
        for commands in ("COMMANDS", "LONG_COMMANDS"):
            self.patch(jobs, commands, ("3000 s",))
        self.assert_found(
            "an attempt before it, was running", {faults.freeze: 1}, ("job 0",), first=5, days=0.2
        )

    def test_books_are_left_open(self) -> None:
        """A document takes effect, and what was due before it is forgotten."""

        def settle(whole: Any, connection: Any, live: Any, since: Any, now: Any) -> None:
            whole(connection, [replace(job, next_run=None) for job in live], since, now)

        self.spoil(categories, "_settle", settle)
        self.assert_found("has no row", {people.replace: 1, faults.database_away: 1})

    def test_publication_is_forgotten(self) -> None:
        """What a broker has lost is not published again."""
        self.spoil(injector, "claim_unpublished", lambda *_: [])
        # What never ends need not be waited for as long as what may end.
        self.patch(history, "HEALED_AFTER", 6 * 3600.0)
        self.assert_found("for ever", {faults.purge: 1, faults.broker_away: 1, faults.kill_all: 1})


class EdgeTests(PlantedTestCase):
    """Where two rules meet: each of these only shows itself there."""

    def test_overlap_under_retries(self) -> None:
        """A later attempt that is running, or about to, keeps no other slot from starting."""

        def open_runs(whole: Any, connection: Connection, *arguments: Any, **options: Any) -> Any:
            later = set(connection.scalars(select(runs.c.run_id).where(runs.c.attempt > 1)))
            found = whole(connection, *arguments, **options)
            first = {
                job_id: [run for run in of_one if run.run_id not in later] for job_id, of_one in found.items()
            }
            return defaultdict(list, first)

        for place in (admissions, gate, limits):
            self.spoil(place, "open_runs", open_runs)
        self.assert_found("was started beside", {people.replace: 1}, ("job 1",), first=3)

    def test_dead_in_the_queue(self) -> None:
        """What waits past its deadline keeps its place in the queue."""
        self.spoil(admissions, "overdue", lambda *_: {})
        self.spoil(limits, "overdue", lambda *_: {})
        self.assert_found("in vain", {people.replace: 1}, ("job 2",))

    def test_pause_is_forgotten_in_catch_up(self) -> None:
        """Slots of a pause that is over when they are caught up are taken for missed ones."""

        def settle(whole: Any, schedule: Any, since: datetime, now: datetime, terms: Terms) -> Any:
            is_over = terms.pause is not None and terms.pause.end <= now
            return whole(schedule, since, now, replace(terms, pause=None) if is_over else terms)

        self.spoil(books, "settle", settle)
        self.assert_found("paused from", {people.pause_in_catch_up: 1}, ("job 0", "job 4"))

    def test_pause_takes_what_was_missed(self) -> None:
        """Slots from before a pause, which were to be caught up, are skipped as if they were in it."""
        self.spoil(pausing, "close_books", lambda *_, **__: books.Closing())
        self.assert_found("not all of it was a pause", {people.pause_in_catch_up: 1}, ("job 0", "job 4"))

    def test_timeout_in_drain(self) -> None:
        """A runner that comes to its end waits for its commands, and forgets their timeouts."""
        draining = set[Reports]()

        def drain(whole: Any, its_runner: Runner) -> Any:
            draining.add(its_runner.reports)
            return whole(its_runner)

        def time_out(whole: Any, run: Run, timeout: timedelta) -> None:
            if run._place.reports not in draining:
                whole(run, timeout)

        self.spoil(Runner, "drain", drain)
        self.spoil(Run, "_time_out", time_out)
        self.assert_found("has run for", {faults.stop: 1}, ("job 5",), first=12)

    def test_replace_does_not_wait(self) -> None:
        """What takes the place of another one starts at once, though that is not dead."""

        def admit(whole: Any, rules: Rules, *arguments: Any, **options: Any) -> Any:
            return STARTS if rules.overlap is Overlap.REPLACE else whole(rules, *arguments, **options)

        self.spoil(admissions, "admit", admit)
        self.spoil(gate, "admit_start", admit)
        self.assert_found("was started beside", {people.replace: 1}, ("job 3",))


class RuleTests(PlantedTestCase):
    """What jobs ask for."""

    def test_attempts_overlap(self) -> None:
        """What is tried again starts, whatever else of its job is running."""

        def verdict(whole: Any, its_gate: Any, run: RunState) -> Any:
            return STARTS if run.attempt > 1 else whole(its_gate, run)

        self.spoil(gate.Gate, "verdict", verdict)
        self.assert_found("was started beside", {faults.kill: 1}, ("job 3", "job 4"), first=12)

    def test_follows_too_soon(self) -> None:
        """What runs after several jobs does not wait for all of them."""
        self.spoil(following, "_complete", lambda _whole, _connection, _follower, slots, _jitters: slots)
        self.assert_found(
            "not all before it have succeeded", {people.replace: 1}, ("job 0", "job 7", "after 0 and 7")
        )

    def test_does_not_follow(self) -> None:
        """Only one success is followed in every hour."""

        def follow(whole: Any, connection: Any, succeeded: Any, now: Any) -> None:
            if now.hour not in hours:
                whole(connection, succeeded, now)
            hours.add(now.hour)

        hours = set[int]()
        self.spoil(batch, "follow", follow)
        self.assert_found("has not followed", {faults.database_away: 1}, ("job 0", "after 0"))


class WishTests(PlantedTestCase):
    """What people ask for."""

    def test_call_off(self) -> None:
        """Who kills what waits is told that it is done, and it is not."""
        self.spoil(kills, "call_off", lambda _whole, run, *_: run)
        self.assert_found("was called off", {people.kill_run: 2, faults.broker_away: 1})

    def test_start_in_a_pause(self) -> None:
        """What waits for a runner when its job is paused starts all the same."""
        self.spoil(batch, "pause_of", lambda *_: None)
        self.assert_found("was started, paused from", {people.pause: 2, faults.broker_away: 1}, first=5)

    def test_left_out_of_a_backfill(self) -> None:
        """A backfill takes what was missed for done."""
        self.spoil(backfilling, "has_run", lambda _whole, statuses: bool(list(statuses)))
        self.assert_found("was left out by backfill", {people.backfill: 2, faults.broker_away: 1}, first=4)

    def test_backfill_at_once(self) -> None:
        """A backfill makes more runs at once than it was asked for."""
        self.spoil(backfilling, "_go_on", lambda whole, c, row, now: whole(c, More(row), now))
        self.assert_found("of its backfill", {people.backfill: 2, faults.broker_away: 1}, first=6)


class More:
    """The row of a backfill that may have more runs open at once."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._row, name)
        return 10 * value if name == "at_once" else value
