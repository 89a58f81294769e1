"""Jobs that run after others."""

from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.documents import parse_document
from cronq.domain.errors import BadDocument
from cronq.domain.following import find_cycle, slot_after
from cronq.domain.rules import AfterSame

NAMES = st.sampled_from("abcdef")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=3))


def job(name: str, *after: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "command": "true", "after": list(after), **keys}


FIRST = {"name": "first", "command": "true", "schedule": "R/2026-01-01/PT1H"}


class CycleTests(SynchronousTestCase):
    """Jobs that wait for themselves."""

    def test_none(self) -> None:
        """Jobs may be joined in any way in which one comes first."""
        graphs: list[dict[str, list[str]]] = [
            {}, {"a": []}, {"a": ["b", "c"], "b": ["c"], "c": []}, {"a": ["unknown"]},
        ]  # fmt: skip
        for graph in graphs:
            self.assertIsNone(find_cycle(graph))

    def test_found(self) -> None:
        """The way round is told, and nothing besides."""
        self.assertEqual(find_cycle({"a": ["a"]}), ["a"])
        self.assertEqual(find_cycle({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}), ["a", "b", "c"])

    def test_long(self) -> None:
        """A row of a hundred thousand is walked without a stack of that depth."""
        row = {str(n): [str(n + 1)] for n in range(100_000)}
        self.assertIsNone(find_cycle(row))
        self.assertEqual(len(find_cycle(row | {"99999": ["0"]}) or ()), 100_000)

    @given(GRAPHS)
    def test_is_one(self, graph: dict[str, list[str]]) -> None:
        """What is found is a way round; when none is, the jobs can be put into an order."""
        cycle = find_cycle(graph)
        if cycle is not None:
            for name, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
                self.assertIn(other, graph[name])
            return
        left = {name: set(others) & set(graph) for name, others in graph.items()}
        while left:
            free = {name for name, others in left.items() if not others}
            self.assertTrue(free)
            left = {name: others - free for name, others in left.items() if name not in free}


class DocumentTests(SynchronousTestCase):
    """In a document."""

    def assert_faults(self, jobs: list[Any], *sentences: str) -> None:
        error = self.assertRaises(BadDocument, parse_document, {"category": "a", "jobs": jobs})
        self.assertEqual([str(fault) for fault in error.faults], list(sentences))

    def test_instead_of_a_schedule(self) -> None:
        """What runs after others needs no schedule, and may have one."""
        second, third = job("second", "first"), job("third", "first", schedule="@daily", after_same="day")
        parsed = parse_document({"category": "a", "jobs": [FIRST, second, third]}).category.jobs
        self.assertEqual([each.schedule for each in parsed], ["R/2026-01-01/PT1H", None, "@daily"])
        self.assertEqual([each.rules.after for each in parsed], [(), ("first",), ("first",)])
        self.assertEqual(parsed[2].rules.after_same, AfterSame.DAY)

    def test_no_such_job(self) -> None:
        """It must be a job of the document."""
        self.assert_faults(
            [FIRST, job("second", "first", "frist")],
            'jobs[1].after[1]: no job of this document is called "frist"',
        )

    def test_cycle(self) -> None:
        """Jobs that wait for themselves are refused, with the way round."""
        self.assert_faults(
            [job("a", "c"), job("b", "a"), job("c", "b")],
            'jobs[0].after: it would wait for itself: "a" after "c" after "b" after "a"',
        )
        self.assert_faults([job("a", "a")], 'jobs[0].after: it would wait for itself: "a" after "a"')

    def test_twice(self) -> None:
        """A name that stands there twice is a slip."""
        self.assert_faults([FIRST, job("a", "first", "first")], 'jobs[1].after: has "first" 2 times')

    def test_wrong_kinds(self) -> None:
        """Other values are refused where they are, and named."""
        self.assert_faults(
            [FIRST, job("a") | {"after": "first"}], 'jobs[1].after: expected a list, found "first"'
        )
        self.assert_faults([FIRST, job("a") | {"after": [7]}], "jobs[1].after[0]: expected a text, found 7")
        self.assert_faults([{"name": "a", "command": "true"}], "jobs[0].schedule: missing")

    def test_nothing(self) -> None:
        """An empty list without a schedule is a job that runs by hand only."""
        (only,) = parse_document({"category": "a", "jobs": [job("a")]}).category.jobs
        self.assertIsNone(only.schedule)


class SlotTests(SynchronousTestCase):
    def test_slot_and_day(self) -> None:
        """It runs for the same slot, or for the day."""
        slot = datetime(2026, 1, 31, 23, 59, 59, 1)
        self.assertEqual(slot_after(AfterSame.SLOT, slot), slot)
        self.assertEqual(slot_after(AfterSame.DAY, slot), datetime(2026, 1, 31))
