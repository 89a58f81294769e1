"""What is planned for a chaos."""

from collections import defaultdict
from datetime import datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.chaos.plan import (
    PROCESS_KINDS,
    SERVERS,
    WIRE_KINDS,
    Kind,
    Replace,
    RunNow,
    Scale,
    daemons,
    make_plan,
    wire,
    wires,
)
from tests.integration.chaos.test_chaos import SMALL
from tests.integration.chaos.workload import Definition, Ran, read_line

LARGE = Scale(seconds=120, jobs=200)
NOON = datetime(2026, 1, 1, 12)
SEEDS = range(20)


def at(seconds: float) -> datetime:
    """That long after noon."""
    return NOON + timedelta(seconds=seconds)


class PlanTests(SynchronousTestCase):
    def test_repeatable(self) -> None:
        """One seed makes one plan, and another seed another."""
        self.assertEqual(make_plan(7, LARGE), make_plan(7, LARGE))
        self.assertNotEqual(make_plan(7, LARGE).faults, make_plan(8, LARGE).faults)
        self.assertNotEqual(make_plan(7, LARGE).changes, make_plan(8, LARGE).changes)

    def test_all_kinds(self) -> None:
        """In the small one, too, each kind of fault strikes, and both servers are killed and restarted."""
        servers = {(server, kind) for server in SERVERS for kind in (Kind.KILL, Kind.RESTART)}
        for seed in SEEDS:
            faults = make_plan(seed, SMALL).faults
            self.assertEqual({fault.kind for fault in faults}, set(Kind))
            self.assertLessEqual(servers, {(fault.victim, fault.kind) for fault in faults})

    def test_fitting(self) -> None:
        """Processes and wires get the kinds of faults that they can have, in time and one after the other."""
        nets = {wire(*each) for each in wires()}
        for seed in SEEDS:
            moments = defaultdict(list)
            for fault in make_plan(seed, LARGE).faults:
                self.assertIn(fault.victim, nets | {*daemons(), *SERVERS})
                self.assertIn(fault.kind, WIRE_KINDS if fault.victim in nets else PROCESS_KINDS)
                self.assertTrue(0 < fault.at < LARGE.seconds)
                moments[fault.victim].append(fault.at)
            self.assertEqual([each for each in moments.values() if each != sorted(each)], [])

    def test_jobs(self) -> None:
        """There are as many jobs as wanted; each state of a job has a version of its own."""
        for seed in SEEDS:
            plan = make_plan(seed, LARGE)
            self.assertEqual(sum(len(each.jobs) for each in plan.first), 200)
            replaced = [each for each in (*plan.first, *plan.changes) if isinstance(each, Replace)]
            states = {job for each in replaced for job in each.jobs}
            self.assertEqual(len({job.version for job in states}), len(states))
            self.assertEqual({job.interval for job in states}, {1, 2, 3, 4, 5})

    def test_by_hand(self) -> None:
        """Only a job that is there is run by hand."""
        plan = make_plan(3, LARGE)
        there = {each.category: {job.name for job in each.jobs} for each in plan.first}
        asked = 0
        for change in plan.changes:
            if isinstance(change, RunNow):
                self.assertIn(change.name, set().union(*there.values()))
                asked += 1
            else:
                there[change.category] = {job.name for job in change.jobs}
        self.assertGreater(asked, 10)


class SlotsTests(SynchronousTestCase):
    def test_slots(self) -> None:
        """The first instant is left out and the last is not; nothing lies before the start."""
        each_third = Definition("a", 1, NOON, 3, runs_for=0, exit_code=0)
        self.assertEqual(each_third.slots(at(0), at(6)), [at(3), at(6)])
        self.assertEqual(each_third.slots(at(-9), at(3)), [at(0), at(3)])
        self.assertEqual(each_third.slots(at(3), at(5.9)), [])

    def test_fraction(self) -> None:
        """The same on a grid beside the whole seconds."""
        beside = Definition("a", 1, at(0.25), 2, runs_for=0, exit_code=0)
        self.assertEqual(beside.slots(at(0.25), at(4.25)), [at(2.25), at(4.25)])

    def test_lines(self) -> None:
        """What commands write, for a slot and by hand."""
        self.assertEqual(read_line("a", "f0 2026-01-01T12:00:00Z 1 9"), Ran("a", "f0", NOON, 1, 9))
        self.assertEqual(read_line("a", "f0  1 9"), Ran("a", "f0", None, 1, 9))
