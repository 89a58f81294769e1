"""The histories notice what is wrong with a cronq that has been spoilt on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.database import categories, ledger
from cronq.domain.grants import Grant
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.reports import RunState
from cronq.domain.runs import Status
from cronq.services import reporting
from tests.simulation import faults, living
from tests.simulation.faults import Fault

#: So many histories may be without a finding.
PATIENCE = 12
DAYS = 0.5


class PlantedTests(SynchronousTestCase):
    def assert_found(self, finding: str, weights: Mapping[Fault, int], first: int = 1) -> None:
        """Histories of these faults find that sooner or later; `first` saves those that are known not to."""
        found: list[str] = []
        for seed in range(first, first + PATIENCE):
            found = living.live(seed, DAYS, weights=weights).findings
            if any(finding in each for each in found):
                return
        self.fail(f"no history has found {finding!r}; the last one: {found}")

    def spoil(self, module: Any, name: str, spoilt: Callable[..., Any]) -> None:
        """Put a function in the place of another, which it is given as its first argument."""
        whole = getattr(module, name)
        self.patch(module, name, lambda *arguments, **options: spoilt(whole, *arguments, **options))

    def test_granted_twice(self) -> None:
        """Any request for what runs already is granted."""

        def grant(whole: Any, run: RunState, message: ResultMessage) -> Grant:
            answer: Grant = whole(run, message)
            return replace(answer, granted=answer.granted or run.status is Status.RUNNING)

        self.spoil(ledger, "grant", grant)
        self.assert_found("times", {faults.double: 1})

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
        self.assert_found("an attempt before it, was running", {faults.freeze: 1}, first=11)

    def test_books_are_left_open(self) -> None:
        """A document takes effect, and what was due before it is forgotten."""

        def settle(whole: Any, connection: Any, live: Any, since: Any, now: Any) -> None:
            whole(connection, [replace(job, next_run=None) for job in live], since, now)

        self.spoil(categories, "_settle", settle)
        self.assert_found("has no row", {faults.replace: 1, faults.database_away: 1})

    def test_publication_is_forgotten(self) -> None:
        """What a broker has lost is not published again."""
        from cronq.services import injector

        self.spoil(injector, "claim_unpublished", lambda *_: [])
        self.assert_found("for ever", {faults.purge: 1, faults.broker_away: 1, faults.kill_all: 1})
