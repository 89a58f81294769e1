"""The verdict finds what must not be, in histories made by hand, and nothing in those that are right."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.chaos.verdict import Breach, Evidence, Row, judge
from tests.integration.chaos.workload import Asked, Definition, Ran, Replacement

NOON = datetime(2026, 1, 1, 12)
OLD = Definition("job", 1, NOON, 2, runs_for=0, exit_code=0)
NEW = replace(OLD, version=2, interval=3)


def at(seconds: float) -> datetime:
    """That long after noon."""
    return NOON + timedelta(seconds=seconds)


def replaced(begun: float, ended: float, *jobs: Definition) -> Replacement:
    """A category that was replaced between these two."""
    return Replacement("c", at(begun), at(ended), jobs)


def row(second: float | None, status: str = "succeeded", **more: Any) -> Row:
    """A row for the slot of that second, or by hand."""
    usual: dict[str, Any] = {
        "run_id": f"run {second}",
        "last_slot": None,
        "slots": 1,
        "attempt": 1,
        "reason": None,
        "runner": "here-1",
    }
    slot = None if second is None else at(second)
    return Row(name="job", slot=slot, status=status, **(usual | more))


def missed(first: float, last: float, count: int) -> Row:
    """A row for several slots."""
    return row(first, "missed", last_slot=at(last), slots=count, reason="why")


def ran(second: float | None, version: int = 1, **more: Any) -> Ran:
    """The command of `row(second)` ran."""
    slot = None if second is None else at(second)
    return replace(Ran("job", f"run {second}", slot, 1, version), **more)


#: Every two seconds, from somewhere in the first second until somewhere in the second after the eighth.
LIFE = (replaced(0, 1, OLD), replaced(8, 9))
ROWS = tuple(row(second) for second in (2, 4, 6, 8))
RAN = tuple(ran(second) for second in (2, 4, 6, 8))


class VerdictCase(SynchronousTestCase):
    def breaches(
        self,
        rows: Sequence[Row] = ROWS,
        runs: Sequence[Ran] = RAN,
        life: Sequence[Replacement] = LIFE,
        **more: Any,
    ) -> list[str]:
        """What is found."""
        asked: Sequence[Asked] = more.pop("asked", ())
        self.verdict = judge(Evidence(life, asked, rows, runs))
        return [each.breach.value for each in self.verdict.findings]


class SlotTests(VerdictCase):
    def test_right(self) -> None:
        """Each slot has a row, and each run ran once."""
        self.assertEqual(self.breaches(), [])
        self.assertEqual((self.verdict.slots, self.verdict.rows, self.verdict.runs), (4, 4, 4))

    def test_missing(self) -> None:
        """A slot without a row; the first and the last count as well."""
        for n in range(4):
            found = self.breaches(ROWS[:n] + ROWS[n + 1 :], RAN[:n] + RAN[n + 1 :])
            self.assertEqual(found, [Breach.NO_ROW])
            self.assertIn(at(2 + 2 * n).isoformat(), str(self.verdict.findings[0]))

    def test_none_at_all(self) -> None:
        """A job that nobody ever claimed."""
        self.assertEqual(self.breaches((), ()), [Breach.NO_ROW] * 4)

    def test_no_slot(self) -> None:
        """Rows beside the grid, before the job was there, after it was removed, and of a job unheard of."""
        for wrong in (row(3), row(0), row(10), replace(row(2), name="another")):
            right = () if wrong.slot == at(2) else (ran((wrong.slot or NOON).second),)
            found = self.breaches((*ROWS, replace(wrong, run_id="x")), RAN)
            self.assertEqual(found[0], Breach.NO_SLOT, (wrong, right))

    def test_doubled(self) -> None:
        """A slot with two rows: its own, and one that stands for several."""
        found = self.breaches((*ROWS, replace(missed(4, 6, 2), run_id="another")))
        self.assertEqual(found, [Breach.TWO_ROWS] * 2)

    def test_attempt(self) -> None:
        """Nobody asked for a second attempt."""
        again = row(4, run_id="again", attempt=2)
        found = self.breaches((*ROWS, again), (*RAN, ran(4, run_id="again", attempt=2)))
        self.assertEqual(found, [Breach.NO_SLOT, Breach.TWO_ROWS])

    def test_missed(self) -> None:
        """A row for several slots covers these, and no other number of them."""
        rest = (row(8),)
        self.assertEqual(self.breaches((missed(2, 6, 3), *rest), RAN[3:]), [])
        self.assertEqual(self.verdict.missed_slots, 3)
        found = self.breaches((missed(2, 6, 2), *rest), RAN[3:])
        self.assertEqual(found, [Breach.NO_ROW])
        found = self.breaches((missed(2, 6, 5), *rest), RAN[3:])
        self.assertEqual(found, [Breach.NO_SLOT] * 2)


class ChangeTests(VerdictCase):
    """From slots each two seconds (2, 4, 6, 8, …) to each three (3, 6, 9, …), some time from 3.5 to 9.5."""

    LIFE = (replaced(0, 1, OLD), replaced(3.5, 9.5, NEW), replaced(13, 14))

    def found(self, *seconds: int) -> list[str]:
        """What is found when these slots have rows."""
        rows = [row(second, "lost", reason="why") for second in seconds]
        return self.breaches(rows, (), self.LIFE)

    def test_any_instant(self) -> None:
        """Whatever one instant of change explains is right."""
        for seconds in ((2, 6, 9, 12), (2, 4, 6, 9, 12), (2, 4, 6, 8, 9, 12), (2, 4, 6, 8, 12)):
            self.assertEqual(self.found(*seconds), [], seconds)

    def test_none_of_both(self) -> None:
        """A slot that both definitions have is in any case expected."""
        self.assertEqual(self.found(2, 4, 9, 12), [Breach.NO_ROW])

    def test_old_after_new(self) -> None:
        """When a slot of the new one alone has a row, the old one has no more slots after it."""
        life = (replaced(0, 1, OLD), replaced(1.5, 9.5, NEW), replaced(13, 14))
        rows = [row(second, "lost", reason="why") for second in (2, 3, 6, 8, 9, 12)]
        found = self.breaches(rows, (), life)
        self.assertEqual(len(found), 1)
        self.assertIn(found[0], {Breach.NO_SLOT, Breach.NO_ROW})

    def test_outside(self) -> None:
        """Before the change was asked for and after it was answered there is no doubt."""
        self.assertEqual(self.found(4, 6, 9, 12), [Breach.NO_ROW])
        self.assertEqual(self.found(2, 6, 9), [Breach.NO_ROW])
        self.assertEqual(self.found(2, 6, 9, 10, 12), [Breach.NO_SLOT])

    def test_another_command(self) -> None:
        """Replacing a command loses no slot, whenever it was; each slot has the command of its time."""
        other = replace(OLD, version=2)
        life = (replaced(0, 1, OLD), replaced(4.5, 6.5, other), replaced(8, 9))
        self.assertEqual(self.breaches(ROWS[:2] + ROWS[3:], (*RAN[:2], ran(8, 2)), life), [Breach.NO_ROW])
        for version in (1, 2):
            self.assertEqual(self.breaches(ROWS, (*RAN[:2], ran(6, version), ran(8, 2)), life), [])
        self.assertEqual(self.breaches(ROWS, (*RAN[:2], ran(6), ran(8, 1)), life), [Breach.WRONG_RUN])
        self.assertEqual(self.breaches(ROWS, (ran(2, 2), *RAN[1:3], ran(8, 2)), life), [Breach.WRONG_RUN])

    def test_unchanged(self) -> None:
        """A document that leaves a job as it is makes no doubt about its slots."""
        life = (LIFE[0], replaced(1.5, 7, OLD), LIFE[1])
        self.assertEqual(self.breaches(life=life), [])
        self.assertEqual(self.breaches(ROWS[1:], RAN[1:], life), [Breach.NO_ROW])

    def test_removed_meanwhile(self) -> None:
        """Between its removal and its return a job has no slots."""
        life = (LIFE[0], replaced(2.5, 2.6), replaced(5, 5.1, NEW), LIFE[1])
        self.assertEqual(self.breaches((row(2), row(6)), (ran(2), ran(6, 2)), life), [])
        found = self.breaches((row(2), row(4), row(6)), (ran(2), ran(4), ran(6, 2)), life)
        self.assertEqual(set(found), {Breach.NO_SLOT, Breach.WRONG_RUN})

    def test_endless(self) -> None:
        """Of a job that is still there it cannot be said which slots it has."""
        self.assertRaises(ValueError, self.breaches, life=LIFE[:1])


class RunTests(VerdictCase):
    def test_run_twice(self) -> None:
        """One run whose command ran twice."""
        self.assertEqual(self.breaches(runs=(*RAN, ran(4))), [Breach.RAN_TWICE])
        self.assertEqual(self.verdict.twice, 1)

    def test_slot_twice(self) -> None:
        """Two runs of one slot and attempt."""
        again = row(4, run_id="again")
        found = self.breaches((*ROWS, again), (*RAN, ran(4, run_id="again")))
        self.assertEqual(found, [Breach.TWO_ROWS, Breach.SLOT_RAN_TWICE])
        self.assertEqual(self.verdict.twice, 1)

    def test_unknown(self) -> None:
        """A run that the ledger does not know."""
        self.assertEqual(self.breaches(runs=(*RAN, ran(4, run_id="x", slot=None))), [Breach.RAN_UNKNOWN])

    def test_unsaid(self) -> None:
        """It ran, and the ledger says that it did not."""
        for status in ("queued", "missed", "skipped", "unroutable"):
            rows = (row(2, status, reason="why"), *ROWS[1:])
            self.assertIn(Breach.RAN_UNSAID, self.breaches(rows))

    def test_did_not_run(self) -> None:
        """The ledger says that it ran, and it did not. Of what is lost, nobody knows."""
        for status in ("succeeded", "failed", "timed_out"):
            self.assertEqual(self.breaches((row(2, status), *ROWS[1:]), RAN[1:]), [Breach.DID_NOT_RUN])
        self.assertEqual(self.breaches((row(2, "lost", reason="why"), *ROWS[1:]), RAN[1:]), [])

    def test_wrong_end(self) -> None:
        """Its command ends in another way."""
        self.assertEqual(self.breaches((row(2, "failed"), *ROWS[1:])), [Breach.WRONG_END])
        failing = (replaced(0, 1, replace(OLD, exit_code=3)), LIFE[1])
        self.assertEqual(self.breaches(life=failing), [Breach.WRONG_END] * 4)

    def test_wrong_run(self) -> None:
        """A command was told of another slot than its row has."""
        found = self.breaches(runs=(ran(2, slot=at(4)), *RAN[2:], ran(4, slot=at(2))))
        self.assertEqual(found, [Breach.WRONG_RUN] * 2)

    def test_no_reason(self) -> None:
        """What is not plain has a reason."""
        for status in ("missed", "skipped", "lost", "killed"):
            self.assertEqual(self.breaches((row(2, status), *ROWS[1:]), RAN[1:]), [Breach.NO_REASON])


class OpenTests(VerdictCase):
    def test_queued(self) -> None:
        """After the drain nothing is queued, and nothing runs on a runner that is there."""
        for status in ("queued", "running"):
            self.assertEqual(self.breaches((row(2, status), *ROWS[1:]), RAN[1:]), [Breach.NOT_FINAL])


class ByHandTests(VerdictCase):
    def found(self, rows: int, *tries: int) -> list[str]:
        """What is found when there are so many runs of a job that was asked for after so many tries each."""
        by_hand = [row(None, run_id=f"hand {n}") for n in range(rows)]
        commands = [ran(None, run_id=f"hand {n}") for n in range(rows)]
        asked = [Asked("job", each) for each in tries]
        return self.breaches((*ROWS, *by_hand), (*RAN, *commands), asked=asked)

    def test_as_asked(self) -> None:
        """Once for each time, or less when it was asked again before it was claimed."""
        for rows, tries in ((1, (1,)), (1, (1, 1)), (2, (1, 1)), (1, (3,)), (3, (3,)), (0, ())):
            self.assertEqual(self.found(rows, *tries), [], (rows, tries))

    def test_not_as_asked(self) -> None:
        """Never, or more often."""
        for rows, tries in ((0, (1,)), (2, (1,)), (1, ()), (4, (1, 2))):
            self.assertEqual(self.found(rows, *tries), [Breach.BY_HAND], (rows, tries))
