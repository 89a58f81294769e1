"""The runner: what it takes, what it starts and when, and what it does with what it cannot use."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from cronq.broker.interface import DEAD, DEFAULT_ROUTING_KEY, JOBS, RESULTS, Delivery, Message, Queue
from cronq.broker.memory import MemoryBroker, MemoryConnection
from cronq.database.tables import runs
from cronq.domain.grants import Grant, write_answers
from cronq.domain.messages import ResultMessage
from tests.services.cases import WorldTestCase, each_minute, once
from tests.services.process import Process

RUN_ID = "e80314fd51264759a4bb58d437139c07"
#: As 0.27 published it.
RECORDED = {"cmd": "5 s", "job_id": 2, "name": "Say hello", "run_id": RUN_ID}


def message(body: bytes | dict[str, Any], key: str = DEFAULT_ROUTING_KEY) -> Message:
    return Message(key, body if isinstance(body, bytes) else json.dumps(body).encode(), "a message")


class DeliveryTests(WorldTestCase):
    """One message and what becomes of it."""

    def test_message_of_027(self) -> None:
        """A message that asks for no grant is started as soon as its start is announced, without results."""
        self.world.start_runner()
        self.world.publish(message(RECORDED))
        self.assertEqual(self.world.launcher.runs(), [RUN_ID])
        self.world.run_for(10)
        kinds = [json.loads(body)["type"] for body in self.world.broker.messages(RESULTS)]
        self.assertEqual(kinds, ["starting", "finished"])

    def test_message_of_027_is_recorded(self) -> None:
        """A run that no injector of ours has made is found in the ledger all the same."""
        self.world.start_results()
        self.world.start_runner()
        self.world.publish(message(RECORDED | {"cmd": "5 s exit 7"}))
        self.world.run_for(10)
        run = self.the_run()
        self.assertEqual((run.run_id, run.status, run.return_code), (RUN_ID, "failed", 7))

    def test_environment(self) -> None:
        """A command is told its job, its run, its slot and its attempt, and has the runner's environment."""
        self.world.start_runner()
        self.world.publish(message(RECORDED | {"slot": "2026-01-01T00:01:00Z", "attempt": 3}))
        self.world.publish(message(RECORDED | {"run_id": "0" * 32}))
        expected = {"PATH": "/bin", "CRONQ_JOB_ID": "2", "CRONQ_JOB_NAME": "Say hello"}
        by_time, by_hand = (start.environment for start in self.starts)
        self.assertEqual(
            by_time,
            expected | {"CRONQ_RUN_ID": RUN_ID, "CRONQ_SLOT": "2026-01-01T00:01:00Z", "CRONQ_ATTEMPT": "3"},
        )
        self.assertEqual((by_hand["CRONQ_SLOT"], by_hand["CRONQ_ATTEMPT"]), ("", "1"))

    def test_hostile_names(self) -> None:
        """A name is only a name, whatever is in it; a NUL, which no environment can hold, is left out."""
        names = ["../../etc/passwd", "<script>", "';--", "a\0b", "\U0001f4a9", "x" * 300, "", "a\nb", "$(x)"]
        self.world.start_runner(concurrency=len(names))
        for number, name in enumerate(names):
            self.world.publish(message(RECORDED | {"name": name, "run_id": f"{number:032x}"}))
        told = [start.environment["CRONQ_JOB_NAME"] for start in self.starts]
        self.assertEqual(told, [name.replace("\0", "") for name in names])

    def test_garbage(self) -> None:
        """What no one can use goes to the dead messages with the reason, and the next message is run."""
        garbage = [
            b"",
            b"\xff\xfe",
            b"[]",
            b"null",
            b'"run"',
            b"{}",
            b"[" * 100_000,
            b"x" * (1024 * 1024 + 1),
            json.dumps(RECORDED | {"run_id": "../../etc/passwd"}).encode(),
            json.dumps(RECORDED | {"run_id": RUN_ID.upper()}).encode(),
            json.dumps(RECORDED | {"job_id": 2**31}).encode(),
            json.dumps(RECORDED | {"job_id": True}).encode(),
            json.dumps(RECORDED | {"cmd": None}).encode(),
            json.dumps(RECORDED | {"cmd": "a\0b"}).encode(),
            json.dumps(RECORDED | {"name": "\ud800"}).encode(),
            json.dumps(RECORDED | {"grant": 1}).encode(),
            json.dumps(RECORDED | {"slot": "noon"}).encode(),
        ]
        self.world.start_runner(concurrency=1)
        for body in garbage:
            self.world.publish(message(body))
        self.world.publish(message(RECORDED))
        self.assertEqual(self.world.launcher.runs(), [RUN_ID])
        self.assertEqual(self.world.broker.messages(DEAD), garbage)
        self.assertEqual(self.world.broker.messages(JOBS), [])
        self.assert_said("cannot be used and goes to cronq_dead: .", times=len(garbage))

    def test_unknown_keys(self) -> None:
        """What a later version adds is ignored."""
        self.world.start_runner()
        self.world.publish(message(RECORDED | {"colour": {"of": ["the", "sky"]}}))
        self.assertEqual(self.world.launcher.runs(), [RUN_ID])


class StartTests(WorldTestCase):
    """A run of a job, from its slot to its start."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once())
        self.runner = self.world.start_runner()
        self.world.start_injector()

    def test_start_waits_for_the_grant(self) -> None:
        """Nothing starts before results has granted it, and its message is accepted only then."""
        self.world.run_for(70)
        self.assertEqual(self.starts, [])
        self.runner.kill()
        self.assertEqual(len(self.world.broker.messages(JOBS)), 1)

    def test_start_is_recorded_before_it_happens(self) -> None:
        """When the command starts, the ledger says already that it runs."""
        self.world.start_results()
        self.world.run_for(60.001)
        self.assertEqual((len(self.starts), self.the_run().status), (1, "running"))
        self.assertEqual(self.world.broker.messages(JOBS), [])

    def test_refused(self) -> None:
        """A start that is refused is forgotten: one line with the reason, and the message is gone."""
        self.world.run_for(70)
        self.world.put()  # the job is removed
        self.world.start_results()
        self.world.run_for(600)
        self.assertEqual((self.starts, self.statuses()), ([], {"skipped": 1}))
        self.assert_said("not started here: it is skipped already: its job was removed")
        self.runner.kill()
        self.assertEqual(self.world.broker.messages(JOBS), [])

    def test_refused_when_it_is_unknown(self) -> None:
        """A message whose run the database does not have is not run."""
        self.world.start_results()
        self.world.publish(message(RECORDED | {"grant": True}))
        self.world.run_for(10)
        self.assertEqual(self.starts, [])
        self.assert_said("not started here: the database does not know this run")

    def test_published_again_while_it_is_pending(self) -> None:
        """Several messages for one run are one start, while it waits, while it runs, and afterwards."""
        for results_there in (False, True, True):
            if results_there and not self.starts:
                self.world.start_results()
            self.world.run_for(62 if not results_there else 10)
            self._publish_again(3)
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))
        self.assertEqual(self.world.broker.messages(JOBS), [])

    def test_published_to_two_runners(self) -> None:
        """Of two runners that are asked for the same run, one starts it, and one has one line to say."""
        self.world.start_runner("runner.2", queue=Queue("another", (DEFAULT_ROUTING_KEY,)))
        self.world.start_results("results.1")
        self.world.start_results("results.2")
        self.world.run_for(120)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))
        self.assert_said("not started here: it was started already, on host")

    def test_cannot_be_started(self) -> None:
        """A command that cannot be run at all has failed, with the reason."""
        self.world.put(once(command="missing"))
        self.world.start_results()
        self.world.run_for(120)
        run = self.the_run()
        self.assertEqual((run.status, run.reason, run.return_code), ("failed", "it is missing", None))

    def test_fault_of_ours_at_the_start(self) -> None:
        """Even an error that no one foresaw ends in a report, and costs the runner no slot."""
        self.world.put(*(once(f"job {number}", command="no number s") for number in range(5)), once("good"))
        self.world.start_results()
        self.world.run_for(120)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 5)
        self.assertEqual(self.statuses(), {"failed": 5, "succeeded": 1})

    def _publish_again(self, times: int) -> None:
        run = self.the_run()
        body = RECORDED | {"run_id": run.run_id, "job_id": run.job_id, "grant": True}
        for _ in range(times):
            self.world.publish(message(body))


class GrantTests(WorldTestCase):
    """Asking for leave to start."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once())
        self.runner = self.world.start_runner()
        self.world.start_injector()

    def asked_at(self, until: float) -> list[float]:
        """The seconds after the slot at which the runner had asked."""
        found = []
        asked = 0
        while self.world.clock.seconds() < until:
            self.world.run_for(1)
            if len(self.world.broker.messages(RESULTS)) > asked:
                asked = len(self.world.broker.messages(RESULTS))
                found.append(self.world.clock.seconds() - 60)
        return found

    def test_asks_again_with_growing_pauses(self) -> None:
        """While no results daemon answers, the runner asks less and less often, and starts when one does."""
        self.assertEqual(self.asked_at(until=400), [0, 5, 15, 35, 75, 135, 195, 255, 315])
        self.world.start_results()
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))

    def test_old_answer(self) -> None:
        """A runner that was frozen when the grant came starts nothing until it has asked again."""
        answered = self._freeze_until_answered(15)
        answered.kill()
        self.world.run_for(60)
        self.assertEqual(self.starts, [])
        self.world.start_results("results.2")
        self.world.run_for(120)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))

    def test_old_answer_to_what_was_given_up(self) -> None:
        """When its run was declared lost meanwhile, it does not start at all."""
        self._freeze_until_answered(15, meanwhile={"status": "lost", "token": None})
        self.world.run_for(60)
        self.assertEqual(self.starts, [])
        self.assert_said("not started here: it is lost already")

    def test_young_answer(self) -> None:
        """Frozen for a moment only, it starts when it wakes up, without another question."""
        self._freeze_until_answered(8).kill()
        self.world.run_for(1)
        self.assertEqual(len(self.starts), 1)

    def _freeze_until_answered(self, seconds: float, meanwhile: dict[str, Any] | None = None) -> Process:
        results = self.world.start_results()
        results.freeze()
        self.world.run_for(60.5)
        self.runner.freeze()
        results.thaw()
        self.world.run_for(seconds)
        self.assertEqual(self.the_run().status, "running")
        if meanwhile:
            self.world.execute(runs.update().values(meanwhile))
        self.assertEqual(self.starts, [])
        self.runner.thaw()
        return results


class AnswerTests(WorldTestCase):
    """Answers as no results daemon should give them."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once())

    def start_with(self, answer: Callable[[MemoryConnection, Delivery], None]) -> Process:
        """Start everything, with a stranger in the place of results."""
        stranger = self.world.broker.connect("stranger")
        stranger.startService()

        def received(delivery: Delivery) -> None:
            if delivery.reply_to:
                answer(stranger, delivery)

        stranger.subscribe(Queue(RESULTS, (RESULTS,)), received, 100)
        runner = self.world.start_runner()
        self.world.start_injector()
        self.addCleanup(stranger.stopService)
        return runner

    def granted(self, asked: Delivery) -> Message:
        question = ResultMessage.decode(asked.body)
        grant = Grant(question.run_id, str(question.token), granted=True, asked=question.start_time)
        return Message(str(asked.reply_to), write_answers([grant]), "a grant", direct=True)

    def test_garbage(self) -> None:
        """An answer that cannot be read is told, and the question is asked again."""

        def answer(stranger: MemoryConnection, asked: Delivery) -> None:
            asked.accept()
            first = not self.said("an answer or order cannot be read")
            stranger.publish(
                Message(str(asked.reply_to), b"yes", "yes", direct=True) if first else self.granted(asked)
            )

        self.start_with(answer)
        self.world.run_for(64)
        self.assertEqual(self.starts, [])
        self.assert_said("an answer or order cannot be read: not JSON")
        self.world.run_for(2)
        self.assertEqual(len(self.starts), 1)

    def test_answer_that_comes_before_the_confirm(self) -> None:
        """A grant is no good when the connection broke before the confirm and was away for long."""
        self.world.broker = MemoryBroker(self.world.clock)  # confirms what its receiver has accepted
        answers: list[Delivery] = []

        def answer(stranger: MemoryConnection, asked: Delivery) -> None:
            answers.append(asked)
            if len(answers) == 1:
                stranger.publish(self.granted(asked))
            else:
                asked.accept()

        runner = self.start_with(answer)
        self.world.run_for(61)
        runner.cut()
        self.world.run_for(60)
        runner.restore()
        self.world.run_for(60)
        self.assertGreater(len(answers), 1)
        self.assertEqual(self.starts, [])

    def test_answer_to_an_earlier_question(self) -> None:
        """Once it has asked again, only the answer to that counts: the other one may have been taken back."""
        questions: list[Delivery] = []

        def answer(stranger: MemoryConnection, asked: Delivery) -> None:
            asked.accept()
            questions.append(asked)
            if len(questions) > 1:
                stranger.publish(self.granted(questions[0]))

        self.start_with(answer)
        self.world.run_for(80)
        self.assertGreater(len(questions), 2)
        self.assertEqual(self.starts, [])

    def test_answers_to_nothing(self) -> None:
        """Answers that no one waits for, or that come twice, change nothing."""

        def answer(stranger: MemoryConnection, asked: Delivery) -> None:
            asked.accept()
            for _ in range(3):
                stranger.publish(self.granted(asked))

        self.start_with(answer)
        self.world.run_for(120)
        self.assertEqual(len(self.starts), 1)


class SlotTests(WorldTestCase):
    """A runner that has more messages than slots."""

    def setUp(self) -> None:
        super().setUp()
        self.world.start_results()

    def test_full_runner_gives_back(self) -> None:
        """What it cannot start within a second goes back to the queue, and is taken when a slot is free."""
        self.world.put(once("a", "30 s"), once("b", "30 s"))
        self.world.start_runner(concurrency=1)
        self.world.start_injector()
        self.world.run_for(60.9)
        self.assertEqual((len(self.starts), len(self.world.broker.messages(JOBS))), (1, 0))
        self.world.run_for(0.2)
        self.assertEqual((len(self.starts), len(self.world.broker.messages(JOBS))), (1, 1))
        self.world.run_for(29)
        self.assertEqual((len(self.starts), len(self.world.broker.messages(JOBS))), (2, 0))

    def test_slot_free_in_time(self) -> None:
        """A message that waits for less than a second stays and is started at once."""
        self.world.put(once("a", "0.5 s"), once("b", "30 s"))
        self.world.start_runner(concurrency=1)
        self.world.start_injector()
        self.world.run_for(60.55)
        self.assertEqual(len(self.starts), 2)

    def test_idle_runner_gets_it(self) -> None:
        """What a full runner gives back is started by an idle one at once."""
        self.world.put(*(once(f"job {number}", "60 s") for number in range(4)))
        busy = self.world.start_runner("busy", concurrency=2)
        self.world.start_injector()
        self.world.run_for(62)
        self.assertEqual((len(self.starts), len(self.world.broker.messages(JOBS))), (2, 2))
        self.world.start_runner("idle", concurrency=2)
        self.world.run_for(1)
        self.assertEqual(len(self.world.launcher.running()), 4)
        busy.kill()
        self.assertEqual(self.world.broker.messages(JOBS), [])

    def test_concurrency(self) -> None:
        """However many are due, no more run at once than the runner has slots, and all have their turn."""
        self.world.put(*(once(f"job {number}", f"{number % 3 + 0.5} s") for number in range(40)))
        self.world.start_runner(concurrency=3)
        self.world.start_injector()
        most = 0
        for _ in range(120):
            self.world.run_for(0.7)
            most = max(most, len(self.world.launcher.running()))
        self.assertEqual((most, self.statuses()), (3, {"succeeded": 40}))
        self.assert_none_twice()

    def test_published_again_while_it_waits(self) -> None:
        """Two messages for one run that both wait for a slot are one start."""
        self.world.start_runner(concurrency=3)
        for number in range(3):
            self.world.publish(message(RECORDED | {"run_id": f"{number:032x}", "cmd": "0.5 s"}))
        for _ in range(2):
            self.world.publish(message(RECORDED))
        self.world.run_for(10)
        self.assertEqual(self.world.launcher.runs().count(RUN_ID), 1)
        self.assertEqual(self.world.broker.messages(JOBS), [])
        self.assert_said("broke", times=0)

    def test_connection_lost_while_one_waits(self) -> None:
        """A message that waited for a slot when the connection broke comes back and is started once."""
        self.world.put(once("a", "0.5 s"), once("b", "0.5 s"))
        runner = self.world.start_runner(concurrency=1)
        self.world.start_injector()
        self.world.run_for(60.2)
        runner.cut()
        self.world.run_for(0.1)
        runner.restore()
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (2, {"succeeded": 2}))

    def test_not_full_for_ever(self) -> None:
        """Filled up again and again, with its connection lost in between, it always takes up work again."""
        self.world.put(*(each_minute(f"job {number}", "3 s") for number in range(3)))
        runner = self.world.start_runner(concurrency=1)
        self.world.start_injector()
        self.world.run_for(58)
        for second in range(16):
            self.world.clock.callLater(second * 41, runner.cut)
            self.world.clock.callLater(second * 41 + 2, runner.restore)
        self.world.run_for(660)
        self.assertEqual(self.world.rows(select(runs).where(runs.c.status != "succeeded")), [])
        self.assertEqual(self.slots(), {"job 0": 11, "job 1": 11, "job 2": 11})
        self.assert_none_twice()
