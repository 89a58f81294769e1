"""Results: every report is recorded once, whatever comes with it, and nothing is accepted before."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cronq.broker.interface import DEAD, RESULTS, Message
from cronq.database.tables import events, runs
from cronq.domain.messages import Report, ResultMessage
from cronq.services.results import AT_MOST, BATCH
from tests.services.cases import WorldTestCase, once

NOON = datetime(2026, 1, 1, 12)


def report(number: int, kind: Report = Report.FINISHED, **values: Any) -> ResultMessage:
    values = {"return_code": 0, "run_time": 1.0} | values if kind is Report.FINISHED else values
    return ResultMessage(f"{number:032x}", 1, kind, NOON, "host", **values)


class ResultsTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """A new world with a connection for reports."""
        self.new_world()
        self.runner = self.world.process("a runner")
        self.world.run_for(0)

    def send(self, *messages: ResultMessage | bytes) -> None:
        """Publish reports as a runner does."""
        for number, each in enumerate(messages):
            body = each if isinstance(each, bytes) else each.encode()
            answer = self.runner.broker.publish(Message(RESULTS, body, f"report {number}"))
            answer.addErrback(self.fail)
        self.world.run_for(0)

    def waiting(self) -> int:
        return len(self.world.broker.messages(RESULTS))

    def recorded(self) -> int:
        (row,) = self.world.rows(select(func.count()).select_from(runs).where(runs.c.status == "succeeded"))
        return int(row[0])

    def one_event_each(self) -> None:
        query = select(events.c.run_id, events.c.type).group_by(events.c.run_id, events.c.type)
        (row,) = self.world.rows(select(func.count()).select_from(events))
        self.assertEqual(int(row[0]), len(self.world.rows(query)))


class BatchTests(ResultsTestCase):
    def test_many_at_once(self) -> None:
        """Thousands of reports are a few transactions."""
        self.send(*(report(number) for number in range(3000)))
        self.world.start_results()
        self.world.run_for(1)
        self.assertEqual((self.recorded(), self.waiting()), (3000, 0))
        self.assertLess(self.world.transactions, 3 * 3000 / BATCH)

    def test_same_again(self) -> None:
        """A report that comes three times, by two daemons, is recorded once."""
        for _ in range(3):
            self.send(*(report(number) for number in range(10)))
        self.world.start_results("results.1")
        self.world.start_results("results.2")
        self.send(*(report(number) for number in range(10)))
        self.world.run_for(1)
        self.assertEqual((self.recorded(), self.waiting()), (10, 0))
        self.one_event_each()

    def test_end_before_start(self) -> None:
        """Reports in the wrong order leave the same run as in the right one."""
        starting = report(1, Report.STARTING, start_time=NOON)
        self.world.start_results()
        self.send(report(1), starting)
        self.send(report(2, return_code=4), report(2, Report.STARTING, start_time=NOON))
        self.world.run_for(1)
        self.assertEqual(self.statuses(), {"succeeded": 1, "failed": 1})
        self.one_event_each()

    def test_two_daemons_share(self) -> None:
        """Two results daemons take their parts of a long queue."""
        self.send(*(report(number) for number in range(2000)))
        for name in ("results.1", "results.2"):
            self.world.start_results(name)
        self.world.run_for(1)
        self.assertEqual((self.recorded(), self.waiting()), (2000, 0))
        self.one_event_each()

    def test_stop(self) -> None:
        """A stop records the batch in hand and leaves the rest to others."""
        self.send(*(report(number) for number in range(AT_MOST)))
        results = self.world.start_results()
        self.world.database_hangs()
        self.world.run_for(1)
        stopped = results.stop()
        self.world.run_for(1)
        self.assertNoResult(stopped)
        self.world.database_up()
        self.assert_stops(stopped, seconds=0)
        self.assertEqual(self.recorded() + self.waiting(), AT_MOST)
        self.world.start_results("results.2")
        self.world.run_for(1)
        self.assertEqual((self.recorded(), self.waiting()), (AT_MOST, 0))
        self.one_event_each()


class OutageTests(ResultsTestCase):
    def test_nothing_is_accepted_before_the_commit(self) -> None:
        """While the database is away all reports stay with the broker, even when the daemon dies then."""
        results = self.world.start_results()
        self.world.run_for(1)
        self.world.database_down()
        self.send(*(report(number) for number in range(100)))
        self.world.run_for(60)
        results.kill()
        self.assertEqual((self.recorded(), self.waiting()), (0, 100))

    def test_database_comes_back(self) -> None:
        """All is recorded when it is back; the log has one line for the trouble and one for its end."""
        self.world.start_results()
        self.world.run_for(1)
        self.world.database_down()
        for number in range(100):
            self.send(report(number))
            self.world.run_for(1)
        self.world.database_up()
        self.world.run_for(20)
        self.assertEqual((self.recorded(), self.waiting()), (100, 0))
        self.assertEqual(
            self.said("^results: "), ["results: the database does not answer", "results: goes on"]
        )

    def test_commit_without_answer(self) -> None:
        """A batch whose commit came through unheard is written again, which changes nothing."""
        self.world.start_results()
        self.world.run_for(1)
        self.world.fail_commit(0, committed=True)
        self.send(*(report(number) for number in range(10)))
        self.world.run_for(10)
        self.assertEqual((self.recorded(), self.waiting()), (10, 0))
        self.one_event_each()

    def test_memory(self) -> None:
        """A database that hangs, and a broker that comes and goes, do not fill the memory."""
        self.send(*(report(number) for number in range(2 * AT_MOST)))
        results = self.world.start_results()
        self.world.run_for(1)
        self.world.database_hangs()
        self.send(*(report(number) for number in range(10_000, 10_000 + 2 * AT_MOST)))
        for _ in range(20):
            results.cut()
            self.world.run_for(1)
            results.restore()
            self.world.run_for(1)
        self.assertLessEqual(len(results.services[1]._waiting), AT_MOST)
        self.world.database_up()
        self.world.run_for(20)
        self.assertEqual((self.recorded(), self.waiting()), (4 * AT_MOST, 0))
        self.one_event_each()

    def test_connection_lost_while_it_writes(self) -> None:
        """What it could not accept comes again and changes nothing; no other delivery is accepted for it."""
        results = self.world.start_results()
        self.world.run_for(1)
        self.world.database_hangs()
        self.send(*(report(number) for number in range(10)))
        results.cut()
        self.world.run_for(1)
        self.world.database_up()
        self.world.run_for(1)
        self.assertEqual(self.waiting(), 10)
        results.restore()
        self.world.run_for(1)
        self.assertEqual((self.recorded(), self.waiting()), (10, 0))
        self.one_event_each()


class PoisonTests(ResultsTestCase):
    """Reports that no one can record."""

    def poison(self, *bad: ResultMessage) -> None:
        """Have the database refuse these."""
        self.world.refuses = lambda arguments: (
            isinstance(arguments and arguments[0], list) and any(message in bad for message in arguments[0])
        )

    def assert_buried(self, *bodies: bytes) -> None:
        self.world.run_for(60)
        self.assertEqual(sorted(self.world.broker.messages(DEAD)), sorted(bodies))
        self.assertEqual(self.waiting(), 0)

    def test_garbage(self) -> None:
        """What is no report goes to the dead messages, each with the reason, and disturbs no one."""
        good = report(1).encode()
        garbage = [
            b"",
            b"{}",
            b"[1]",
            b"\xff",
            b"x" * (1024 * 1024 + 1),
            good.replace(b'"finished"', b'"exploded"'),
            good.replace(b'"return_code":0', b'"return_code":"0"'),
            good.replace(b'"run_time":1.0', b'"run_time":NaN'),
            good.replace(b'"run_time":1.0', b'"run_time":1e999'),
            good.replace(b"2026-01-01", b"yesterday"),
            good.replace(b'"job_id":1', b'"job_id":99999999999999999999'),
        ]
        self.world.start_results()
        self.send(*garbage, report(2))
        self.assert_buried(*garbage)
        self.assert_said("cannot be used and goes to cronq_dead: .", times=len(garbage))
        self.assertEqual(self.recorded(), 1)

    def test_one_among_many(self) -> None:
        """One that the database refuses is found among hundreds, which are recorded; it takes no time."""
        bad = report(321)
        self.poison(bad)
        self.send(*(report(number) for number in range(600)))
        self.world.start_results()
        self.world.run_for(0)
        self.assert_buried(bad.encode())
        self.assertEqual(self.recorded(), 599)
        self.assertLess(self.world.transactions, 60)
        self.assert_said("cannot be used and goes to cronq_dead: the database refuses it")

    def test_several(self) -> None:
        """Several of them, at the ends and side by side, are all found, each once."""
        bad = [report(number) for number in (0, 1, 250, 251, 252, 499, 500, 599)]
        self.poison(*bad)
        self.send(*(report(number) for number in range(600)))
        self.world.start_results()
        self.assert_buried(*(message.encode() for message in bad))
        self.assertEqual(self.recorded(), 592)

    def test_nothing_else(self) -> None:
        """Even when all are of that kind, there is an end to it."""
        bad = [report(number) for number in range(40)]
        self.poison(*bad)
        self.send(*bad)
        self.world.start_results()
        self.assert_buried(*(message.encode() for message in bad))
        self.assertEqual(self.recorded(), 0)

    def test_back_to_large_batches(self) -> None:
        """Once it is found, batches are as large as before."""
        self.poison(report(0))
        self.send(*(report(number) for number in range(50)))
        self.world.start_results()
        self.world.run_for(1)
        before = self.world.transactions
        self.send(*(report(number) for number in range(100, 100 + 2 * AT_MOST)))
        self.world.run_for(1)
        self.assertLess(self.world.transactions - before, 20)

    def test_database_lost_during_the_search(self) -> None:
        """Whenever the database goes away during the search, each report is recorded and accepted once."""
        for transaction in range(12):
            self.begin()
            bad = report(5)
            self.poison(bad)
            self.send(*(report(number) for number in range(8)))
            self.world.start_results()
            self.world.fail_commit(transaction, committed=False)
            self.assert_buried(bad.encode())
            self.assertEqual(self.recorded(), 7)

    def test_broker_lost_during_the_burial(self) -> None:
        """A report that is not safe among the dead yet is not accepted; it comes again."""
        results = self.world.start_results()
        self.world.run_for(1)
        self.send(b"garbage")
        results.cut()
        self.world.run_for(1)
        results.restore()
        self.world.run_for(10)
        self.assertEqual(set(self.world.broker.messages(DEAD)), {b"garbage"})
        self.assertEqual(self.waiting(), 0)


class AnswerTests(WorldTestCase):
    """Answers to those who ask whether to start."""

    def test_to_a_runner_that_is_gone(self) -> None:
        """An answer that no one takes is no trouble: its run is queued again, for another runner."""
        self.world.put(once("a"), once("b"))
        gone = self.world.start_runner("gone")
        self.world.start_injector(republish_interval=5)
        self.world.run_for(61)
        gone.kill()
        self.world.start_results()
        self.world.start_runner()
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (2, {"succeeded": 2}))
        self.assert_none_twice()

    def test_to_a_runner_with_a_new_connection(self) -> None:
        """A runner that lost its connection after it asked gets its answer when it asks again."""
        self.world.put(once("a"), once("b"))
        runner = self.world.start_runner()
        self.world.start_injector()
        self.world.run_for(61)
        runner.cut()
        self.world.start_results()
        self.world.run_for(1)
        runner.restore()
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (2, {"succeeded": 2}))

    def test_question_that_comes_again(self) -> None:
        """A broker that was killed may deliver again what was accepted: the command runs already."""
        self.world.put(once(command="300 s"))
        runner = self.world.start_runner()
        self.world.start_injector(republish_interval=5)
        self.world.run_for(61)
        (question,) = self.world.broker.messages(RESULTS)
        address = runner.runner._mailbox.address
        self.world.start_results()
        self.world.run_for(1)
        self.assertEqual(len(self.starts), 1)
        self.world.broker.down()
        self.world.broker.up()
        self.world.start_runner("runner.2")
        self.world.publish(Message(RESULTS, question, "again", reply_to=address))
        self.world.run_for(600)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))


class GoneRunnerTests(WorldTestCase):
    def test_grant_to_a_runner_that_is_gone(self) -> None:
        """A runner that asked while results was away and then died does not keep the run from the others."""
        self.world.put(once(command="5 s"))
        self.world.start_injector()
        runner = self.world.start_runner("runner.1")
        self.world.run_for(43_200 + 30)
        runner.kill()
        self.world.start_results()
        self.world.run_for(10)
        self.assertEqual(self.statuses(), {"queued": 1})
        self.world.start_runner("runner.2")
        self.world.run_for(120)
        self.assertEqual(self.statuses(), {"succeeded": 1})
        self.assert_none_twice()
