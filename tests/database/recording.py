"""Recording what runners report, and granting starts, on any database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from cronq.database.grants import take_back
from cronq.database.kills import kill_run
from cronq.database.ledger import record_reports
from cronq.database.outbox import mark_unroutable
from cronq.database.output_tables import outputs
from cronq.database.tables import events, jobs, runs
from cronq.domain.grants import Grant
from cronq.domain.kills import Kill
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.outputs import Output, Piece, Stream, decode_output
from tests.database.store import HOST, StoreCase, at, clear, job, report

MINE, OTHER = "1" * 32, "2" * 32
SECOND = timedelta(seconds=1)
STARTING, FINISHED, FAILED, LOST, RETURNED = Report


class RecordingCase(StoreCase):
    """A job of which one run is queued."""

    def setUp(self) -> None:
        super().setUp()
        self.queue()

    def queue(self) -> None:
        self.now = at(0, 0)
        self.put(job())
        self.now = at(0, 1)
        self.run_in_hand = self.claim_run()
        self.job_id = self.run_in_hand.job_id
        self.now = at(0, 1, 10)

    def record(self, *messages: ResultMessage) -> list[Grant | None]:
        return self.do(record_reports, messages)

    def message(self, kind: Report, seconds: float = 0, **rest: Any) -> ResultMessage:
        """A report about the queued run, sent so many seconds after its slot."""
        return report(kind, self.run_in_hand.run_id, self.job_id, at(0, 1) + seconds * SECOND, **rest)

    def asking(self, token: str = MINE) -> ResultMessage:
        started = at(0, 1) + 2 * SECOND
        return self.message(STARTING, 2, start_time=started, token=token, runner="runner-1")

    def finished(self, code: int = 0, **rest: Any) -> ResultMessage:
        return self.message(FINISHED, 8, return_code=code, run_time=6.0, runner="runner-1", **rest)

    def run_row(self) -> Any:
        return self.row(runs, run_id=self.run_in_hand.run_id)

    def state(self) -> list[Any]:
        """All that reports can change, but for ids."""
        return [
            [{key: row[key] for key in row if key != "id"} for row in self.rows(table)]
            for table in (jobs, runs)
        ] + [sorted((row["run_id"], row["type"], row["return_code"] or 0) for row in self.rows(events))]


class ReportTests(RecordingCase):
    """A run from its start to its end."""

    def test_start_and_end(self) -> None:
        """The ledger, the events and the job's row tell the run."""
        self.record(self.asking())
        row = self.run_row()
        self.assertEqual(
            (
                row["status"],
                row["token"],
                row["runner"],
                row["host"],
                row["granted_at"],
                row["publish_after"],
            ),
            ("running", MINE, "runner-1", HOST, self.now, None),
        )
        self.assertEqual(row["started_at"], at(0, 1, 2))
        self.now += 5 * SECOND
        self.record(self.finished(3))
        row = self.run_row()
        self.assertEqual(
            (row["status"], row["return_code"], row["run_time"], row["ended_at"], row["recorded_at"]),
            ("failed", 3, 6.0, at(0, 1, 8), self.now),
        )
        self.assertEqual(
            [(row["type"], row["return_code"], row["job_id"], row["host"]) for row in self.rows(events)],
            [("starting", None, self.job_id, HOST), ("finished", 3, self.job_id, HOST)],
        )

    def test_words_in_the_row_of_the_job(self) -> None:
        """The row of the job speaks as in 0.27: starting, then succeeded or failed, with both times."""
        for code, word in ((0, "succeeded"), (1, "failed")):
            self.record(self.asking())
            self.assertEqual(self.row(jobs)["current_status"], "starting")
            self.record(self.finished(code))
            row = self.row(jobs)
            self.assertEqual((row["current_status"], row["last_run_status"]), (word, word))
            self.assertEqual((row["last_run_start"], row["last_run_stop"]), (at(0, 1, 2), at(0, 1, 8)))
            self.begin_again()

    def begin_again(self) -> None:
        self.do(clear)
        self.queue()

    def test_cannot_start(self) -> None:
        """A command that could not be started has failed, with the reason."""
        self.record(self.asking(), self.message(FAILED, 3, run_time=0.0, reason="no /bin/sh"))
        row = self.run_row()
        self.assertEqual((row["status"], row["reason"], row["return_code"]), ("failed", "no /bin/sh", None))
        self.assertEqual(self.row(jobs)["last_run_status"], "failed")

    def test_lost_and_found(self) -> None:
        """A run that was given up is corrected by its result."""
        self.record(self.asking())
        self.record(self.message(LOST, 60, reason="its runner died"))
        self.assertEqual((self.run_row()["status"], self.row(jobs)["last_run_status"]), ("lost", "failed"))
        self.record(self.finished(0))
        self.assertEqual(
            (self.run_row()["status"], self.row(jobs)["last_run_status"]), ("succeeded", "succeeded")
        )
        self.assertEqual({row["type"] for row in self.rows(events)}, {"starting", "lost", "finished"})

    def test_same_batch_again(self) -> None:
        """A batch that was recorded and not acknowledged comes again, and changes nothing."""
        batch = [self.asking(), self.finished(0)]
        self.record(*batch)
        before = self.state()
        self.now += SECOND
        self.record(*batch)
        self.assertEqual(self.state(), before)

    def test_output(self) -> None:
        """What is kept of the output is stored once, however often it is reported."""
        kept = Output(11, (Piece(Stream.OUT, "hello\0"), Piece(Stream.ERR, "\U0001f418")))
        for _ in range(2):
            self.record(self.finished(output=kept), self.finished(output=kept))
        (row,) = self.rows(outputs)
        self.assertEqual(decode_output(row["size"], row["kept"]), kept)

    def test_nothing(self) -> None:
        """An empty batch is none."""
        self.assertEqual(self.record(), [])

    def test_microseconds(self) -> None:
        """Times and run times are kept to the last digit."""
        moment = datetime(2026, 1, 1, 0, 1, 2, 123457)
        self.record(replace(self.finished(), sent_at=moment, start_time=moment, run_time=0.1 + 0.2))
        row = self.run_row()
        self.assertEqual((row["started_at"], row["ended_at"], row["run_time"]), (moment, moment, 0.1 + 0.2))

    @settings(max_examples=25, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
    @given(st.data())
    def test_any_order_and_any_batches(self, data: st.DataObject) -> None:
        """Late, early, twice, in batches of any size: the rows are as if each had come once and in order."""
        start = replace(self.asking(), token=None)
        history = [start, self.message(LOST, 5, reason="gone"), self.finished(1)]
        repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=4))
        shuffled = data.draw(st.permutations(repeated))
        cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3).map(sorted))
        self.record(*history)
        expected = self.without_ids(self.state())
        self.begin_again()
        for first, last in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
            self.record(*(self.retold(message) for message in shuffled[first:last]))
        self.assertEqual(self.without_ids(self.state()), expected)

    def retold(self, message: ResultMessage) -> ResultMessage:
        return replace(message, run_id=self.run_in_hand.run_id, job_id=self.job_id)

    def without_ids(self, state: Sequence[Any]) -> Any:
        table_jobs, table_runs, table_events = state
        names = {"id", "run_id", "job_id", "definition_id", "category_id"}
        kept = [
            [{k: row[k] for k in row if k not in names} for row in rows] for rows in (table_jobs, table_runs)
        ]
        return [*kept, sorted(event[1:] for event in table_events)]


class GrantTests(RecordingCase):
    """Who may start a run."""

    def granted(self, *messages: ResultMessage) -> list[bool | None]:
        return [None if answer is None else answer.granted for answer in self.record(*messages)]

    def test_first_and_again(self) -> None:
        """The first request is granted, and the same one again; another one is not."""
        self.assertEqual(self.granted(self.asking()), [True])
        self.assertEqual(self.granted(self.asking(OTHER), self.asking()), [False, True])
        self.assertEqual(self.run_row()["token"], MINE)

    def test_in_one_batch(self) -> None:
        """Of two requests in one batch the first wins."""
        self.assertEqual(
            self.granted(self.asking(OTHER), self.asking(), self.asking(OTHER)), [True, False, True]
        )

    def test_refused_requests_are_no_events(self) -> None:
        """Only what happened is an event."""
        self.record(self.asking(), self.asking(OTHER), self.asking())
        self.assertEqual(len(self.rows(events)), 1)

    def test_reports_are_not_answered(self) -> None:
        """Who only reports gets no answer."""
        self.assertEqual(self.record(replace(self.asking(), token=None), self.finished()), [None, None])

    def test_after_the_end(self) -> None:
        """A start that was delivered again after the end starts nothing."""
        self.record(self.asking(), self.finished())
        (answer,) = self.record(self.asking())
        assert answer is not None
        self.assertEqual((answer.granted, answer.reason), (False, "it is succeeded already"))

    def test_removed_job(self) -> None:
        """A run whose job was removed does not start, and says why it did not."""
        self.put()
        self.assertEqual(self.granted(self.asking()), [False])
        row = self.run_row()
        self.assertEqual(
            (row["status"], row["reason"], row["ended_at"], row["publish_after"]),
            ("skipped", "its job was removed before it started", self.now, None),
        )
        self.assertIsNone(self.row(jobs)["current_status"])

    def test_unroutable(self) -> None:
        """A run that was given up as unroutable does not start any more."""
        self.do(mark_unroutable, [self.run_in_hand])
        self.assertEqual(self.granted(self.asking()), [False])

    def test_unknown_run(self) -> None:
        """A run that the ledger does not know is not started, and leaves no trace."""
        before = self.state()
        stranger = replace(self.asking(), run_id="e" * 32)
        self.assertEqual(self.granted(stranger), [False])
        self.assertEqual(self.state(), before)

    def test_someone_elses_job(self) -> None:
        """A message that names the wrong job cannot borrow from it: the ledger knows whose run it is."""
        self.put(job(), job("other"))
        other = self.row(jobs, name="other")["id"]
        self.put(job("other"))
        self.assertEqual(self.granted(replace(self.asking(), job_id=other)), [False])
        self.record(replace(self.finished(), job_id=other))
        self.assertEqual({row["job_id"] for row in self.rows(events)}, {self.job_id})
        self.assertIsNone(self.row(jobs, name="other")["last_run_status"])


class StrangerTests(RecordingCase):
    """Runs that this version's injector did not make, and values that no one expects."""

    def test_run_of_an_injector_of_027(self) -> None:
        """A run from before the upgrade gets its row with its first report, whichever that is."""
        for number, kinds in enumerate([(STARTING, FINISHED), (FINISHED, STARTING), (FINISHED,), (LOST,)]):
            run_id = f"{number:032x}"
            for kind in kinds:
                code = 0 if kind is FINISHED else None
                self.record(report(kind, run_id, self.job_id, at(0, 1), return_code=code))
            row = self.row(runs, run_id=run_id)
            expected = "lost" if kinds == (LOST,) else "succeeded"
            self.assertEqual((row["status"], row["slot"], row["job_id"]), (expected, None, self.job_id))

    def test_two_unknown_runs_in_one_batch(self) -> None:
        """Several of them, each several times, in one batch."""
        known = [f"{number:032x}" for number in (7, 3, 5)]
        self.record(*(report(STARTING, run_id, self.job_id, at(0, 1)) for run_id in known * 2))
        self.assertEqual(len(self.rows(runs, status="running")), 3)

    def test_job_that_does_not_exist(self) -> None:
        """A report about a job that was deleted is kept, as events of deleted jobs were in 0.27."""
        self.record(report(FINISHED, "e" * 32, 4711, at(0, 1), return_code=0))
        self.assertEqual(self.row(runs, run_id="e" * 32)["job_id"], 4711)
        self.assertIsNone(self.row(events)["job_id"])

    def test_result_with_a_token(self) -> None:
        """A result is taken over also when it carries a token and no one knows its run."""
        lone = replace(self.finished(), run_id="e" * 32, token=MINE)
        self.assertEqual(self.record(lone), [None])
        self.assertEqual(self.row(runs, run_id="e" * 32)["status"], "succeeded")

    def test_hostile_values(self) -> None:
        """Any script, quotes, NUL and lengths without end are stored as far as they fit."""
        for number, text in enumerate(("\U0001f600" * 300, "a\0b", "'; DROP TABLE runs; -- %s :x \\", "")):
            run_id = f"{number:032x}"
            message = ResultMessage(
                run_id, self.job_id, FINISHED, at(0, 1), text, return_code=1, reason=text * 5, runner=text
            )
            self.record(message)
            row = self.row(runs, run_id=run_id)
            self.assertEqual((row["host"], row["reason"]), (text[:255], (text * 5)[:1000]))
            self.assertEqual(row["runner"], text[:64] or None)
            self.assertEqual(self.row(events, run_id=run_id)["host"], text[:255])

    def test_extreme_numbers(self) -> None:
        """Every number and time that a message may hold can be stored."""
        for number, (code, run_time, sent) in enumerate(
            (
                (2**31 - 1, 2.0**31 - 1, datetime.max),
                (-(2**31), -(2.0**31), datetime.min),
                (0, 5e-324, datetime(1000, 1, 1)),
                (0, 1.0, datetime(1, 1, 1, 0, 0, 1)),
            )
        ):
            run_id = f"{number:032x}"
            message = report(FINISHED, run_id, self.job_id, sent, return_code=code, run_time=run_time)
            self.record(message, replace(message, report=STARTING, start_time=sent))
            row = self.row(runs, run_id=run_id)
            self.assertEqual((row["return_code"], row["run_time"], row["ended_at"]), (code, run_time, sent))

    def test_bad_status_in_the_row(self) -> None:
        """Reports about slots that were missed or skipped leave them as they are."""
        self.execute(update(runs).values(status="missed"))
        before = self.rows(runs)
        self.record(self.asking(), self.finished())
        self.assertEqual(self.rows(runs), before)

    def test_large_batch(self) -> None:
        """A batch of a thousand reports about as many runs and two jobs."""
        self.put(job(), job("other"))
        ids = [row["id"] for row in self.rows(jobs)]
        wanted = [f"{number:032x}" for number in range(1000)]
        rows = [
            {"run_id": run_id, "job_id": ids[n % 2], "status": "queued"} for n, run_id in enumerate(wanted)
        ]
        self.execute(insert(runs), rows)
        answers = self.record(*(report(STARTING, run_id, 1, at(0, 1), token=MINE) for run_id in wanted))
        self.assertEqual(sum(answer is not None and answer.granted for answer in answers), 1000)
        self.assertEqual(len(self.rows(runs, status="running")), 1000)


class KilledTests(RecordingCase):
    """A run that somebody wants killed, between its grant and its end."""

    def kill(self) -> Kill:
        killed = self.do(kill_run, self.run_in_hand.run_id, "killed by anna")
        assert killed is not None
        return killed.kill

    def ended(self) -> tuple[str, str | None, Any]:
        row = self.run_row()
        return row["status"], row["reason"], row["publish_after"]

    def test_queued(self) -> None:
        """It is not granted any more, and its message can be as late as it likes."""
        self.assertIs(self.kill(), Kill.CALLED_OFF)
        (answer,) = self.record(self.asking())
        assert answer is not None
        self.assertEqual((answer.granted, answer.reason), (False, "it is killed already: killed by anna"))
        self.assertEqual(self.ended(), ("killed", "killed by anna", None))

    def test_handed_back(self) -> None:
        """What its runner hands back, instead of ending it, no other runner gets."""
        self.record(self.asking())
        self.assertIs(self.kill(), Kill.ORDERED)
        self.record(self.message(RETURNED, 3, token=MINE, runner="runner-1"))
        self.assertEqual(self.ended(), ("killed", "killed by anna", None))

    def test_taken_back(self) -> None:
        """Nor is it queued again when the grant has reached no one."""
        self.record(self.asking())
        self.kill()
        self.assertTrue(self.do(take_back, self.asking()))
        self.assertEqual(self.ended(), ("killed", "killed by anna", None))

    def test_handed_back_by_another(self) -> None:
        """What nobody wants killed is queued again, as ever."""
        self.record(self.asking())
        self.record(self.message(RETURNED, 3, token=MINE, runner="runner-1"))
        self.assertEqual(self.run_row()["status"], "queued")

    def test_ended_meanwhile(self) -> None:
        """What has ended by itself keeps its end."""
        self.record(self.asking())
        self.kill()
        self.record(self.finished())
        self.assertEqual(self.run_row()["status"], "succeeded")
        self.assertIs(self.kill(), Kill.TOO_LATE)
