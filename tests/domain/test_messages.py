"""The messages between the daemons: who can read them, and what is said of those that no one can."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadMessage
from cronq.domain.grants import Grant, read_answers, write_answers
from cronq.domain.jobs import Publication
from cronq.domain.message_fields import SIZE_LIMIT, read_fields
from cronq.domain.messages import JobMessage, Report, ResultMessage, job_message
from cronq.domain.outputs import LONGEST, Output, Piece, Stream
from cronq.domain.requests import RunRequest
from cronq.domain.rules import DEFAULT_RULES, OnLost, Rules
from cronq.domain.runs import ENDED, Status

RECORDED = Path(__file__).parents[1] / "data" / "cronq-0.27" / "messages.json"
RUN, TOKEN = "a8fffd3e8f6246f8af92ff2073299354", "0123456789abcdef" * 2
SENT = datetime(2026, 11, 23, 7, 4, 55, 16520)

JOB: dict[str, Any] = {"name": "Test Job", "command": "sleep 1", "job_id": 1, "run_id": RUN}
FINISHED: dict[str, Any] = {
    "job_id": 1,
    "run_id": RUN,
    "type": "finished",
    "x-send-datetime": "2026-11-23 07:04:55.016520",
    "x-host": "localhost",
    "return_code": 0,
    "run_time": 0.5,
}

texts = st.text(st.characters(exclude_categories=["Cs"]))
ids = st.text("0123456789abcdef", min_size=32, max_size=32)
numbers = st.integers(-(2**31), 2**31 - 1)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
times = st.datetimes()


def written(data: object) -> bytes:
    return json.dumps(data).encode()


def changed(data: dict[str, Any], **changes: Any) -> bytes:
    return written(data | {key.replace("_", "-") if key[0] == "x" else key: changes[key] for key in changes})


class Answers:
    """What the private queue of a runner holds, besides orders."""

    @staticmethod
    def decode(body: bytes) -> list[Grant]:
        return read_answers(read_fields(body))


class RefusalCase(SynchronousTestCase):
    def assertSays(self, sentence: str, body: bytes, kind: Any = ResultMessage) -> None:
        error = self.assertRaises(BadMessage, kind.decode, body)
        self.assertEqual(str(error), sentence)


class RecordedMessagesTests(SynchronousTestCase):
    """Everything that a cronq 0.27 published is understood."""

    def setUp(self) -> None:
        recorded = json.loads(RECORDED.read_text())
        self.results = [each["body"] for each in recorded if each["routing_key"] == "cronq_results"]
        self.jobs = [each["body"] for each in recorded if each["routing_key"] != "cronq_results"]

    def test_jobs(self) -> None:
        """A job that a 0.27 injector left in the queue runs, and asks no one for a grant."""
        self.assertGreater(len(self.jobs), 20)
        for body in self.jobs:
            message = JobMessage.decode(written(body))
            self.assertEqual(
                (message.job_id, message.run_id, message.name, message.command, message.grant),
                (body["job_id"], body["run_id"], body["name"], body["cmd"], False),
            )

    def test_results(self) -> None:
        """A 0.27 runner's reports are taken over whole."""
        self.assertGreater(len(self.results), 40)
        for body in self.results:
            message = ResultMessage.decode(written(body))
            self.assertEqual(json.loads(message.encode()), body)

    def test_jobs_for_runners_of_027(self) -> None:
        """A 0.27 runner finds every key that it knows in our message, and the first one is what it was."""
        run = Publication(RUN, 7, "Say hello", "echo hello", "default", SENT, 1)
        message = json.loads(job_message(run).encode())
        self.assertEqual(set(self.jobs[0]) - set(message), set())
        self.assertEqual(
            (message["cmd"], message["job_id"], message["name"], message["run_id"]),
            ("echo hello", 7, "Say hello", RUN),
        )


class JobMessageTests(RefusalCase):
    """What an injector, or any other program, asks of a runner."""

    def test_both_spellings_are_written(self) -> None:
        """Old and new runners find command and job id under the names they know."""
        run = Publication(RUN, 7, "Test Job", "sleep 1", "slow", datetime(2026, 1, 2, 3, 4, 5), 2, 3)
        self.assertEqual(
            json.loads(job_message(run).encode()),
            {
                "name": "Test Job",
                "command": "sleep 1",
                "cmd": "sleep 1",
                "id": 7,
                "job_id": 7,
                "run_id": RUN,
                "grant": True,
                "slot": "2026-01-02T03:04:05Z",
                "attempt": 2,
            },
        )

    def test_rules(self) -> None:
        """Rules of the command are written as in a document, those that are the default and others not."""
        run = Publication(RUN, 7, "Test Job", "sleep 1", "slow", None, 1)
        self.assertNotIn(b"rules", job_message(run).encode())
        rules = Rules(on_lost=OnLost.RERUN, timeout=timedelta(hours=1), success_codes=(0, 3))
        message = job_message(replace(run, rules=rules.encode()))
        said = json.loads(message.encode())["rules"]
        self.assertEqual(said, {"timeout": "PT1H", "success_codes": [0, 3]})
        self.assertEqual(
            JobMessage.decode(message.encode()).rules, Rules(timeout=timedelta(hours=1), success_codes=(0, 3))
        )

    def test_request(self) -> None:
        """What was asked for with a run by hand goes along; its variables count more than the job's."""
        rules = Rules(environment={"A": "job", "B": "job"}).encode()
        request = RunRequest("anna", "late", {"B": "asked"}, ("-f", "")).encode()
        run = Publication(RUN, 7, "Test Job", "sleep 1", "slow", None, 1, rules=rules, request=request)
        message = JobMessage.decode(job_message(run).encode())
        self.assertEqual(message.arguments, ("-f", ""))
        self.assertEqual(message.rules.environment, {"A": "job", "B": "asked"})
        self.assertNotIn(b"anna", job_message(run).encode())
        said_nothing = replace(run, rules=None, request=RunRequest().encode())
        self.assertEqual(job_message(said_nothing), job_message(replace(run, rules=None, request=None)))

    def test_arguments_of_others(self) -> None:
        """Other programs may leave them out; what is no list of texts is refused."""
        self.assertEqual(JobMessage.decode(changed(JOB, arguments=None)).arguments, ())
        for wrong in ("-f", [1], {"a": "b"}, ["\ud800"]):
            self.assertSays("arguments: expected a list of texts", changed(JOB, arguments=wrong), JobMessage)

    def test_rules_of_others(self) -> None:
        """Other programs may leave them out, or say what is not known here; what is wrong is refused."""
        for rules in (None, {}, {"colour": [1]}):
            self.assertEqual(JobMessage.decode(changed(JOB, rules=rules)).rules, DEFAULT_RULES)
        for wrong, sentence in (
            (["PT1H"], "rules: expected an object"),
            ({"timeout": 60}, "rules.timeout: expected a text such as PT90S, found 60"),
            ({"environment": {"A": 1}}, "rules.environment.A: expected a text, found 1"),
        ):
            self.assertSays(sentence, changed(JOB, rules=wrong), JobMessage)

    def test_either_spelling_is_read(self) -> None:
        """`cmd` and `id` alone are as good as `command` and `job_id`."""
        old = {"name": "Test Job", "cmd": "sleep 1", "id": 1, "run_id": RUN}
        self.assertEqual(JobMessage.decode(written(old)), JobMessage.decode(written(JOB)))

    def test_unknown_keys_are_ignored(self) -> None:
        """A newer injector may say more."""
        self.assertEqual(
            JobMessage.decode(changed(JOB, pause=[1], colour="red")), JobMessage.decode(written(JOB))
        )

    def test_slot_with_an_offset(self) -> None:
        """A slot of another program is taken at its own offset; inside cronq it is UTC."""
        for text in (
            "2026-01-01T02:00:00+02:00",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01",
        ):
            self.assertEqual(JobMessage.decode(changed(JOB, slot=text)).slot, datetime(2026, 1, 1))

    def test_null_slot(self) -> None:
        """A run by hand has no slot, whether the key is absent or null."""
        self.assertIsNone(JobMessage.decode(changed(JOB, slot=None)).slot)

    @given(st.builds(JobMessage, ids, numbers, texts, texts, st.booleans(), st.none() | times, numbers))
    def test_round_trip(self, message: JobMessage) -> None:
        """A runner reads what the injector wrote."""
        if "\0" not in message.command:
            self.assertEqual(JobMessage.decode(message.encode()), message)

    def test_longest_command_fits(self) -> None:
        """Whatever a document may hold can be sent: the longest command and name, escaped at their worst."""
        rules = Rules(environment={"A": "\x01" * 21_000})
        message = JobMessage(
            RUN, 1, "\U0010ffff" * 255, "\x01" * 65_535, rules=rules, arguments=("\x01" * 10_000,)
        )
        self.assertEqual(JobMessage.decode(message.encode()), message)

    def test_refusals(self) -> None:
        """Each fault has its sentence."""
        self.assertSays("cmd: missing", written({"name": "a", "job_id": 1, "run_id": RUN}), JobMessage)
        self.assertSays("id: missing", written({"name": "a", "cmd": "x", "run_id": RUN}), JobMessage)
        self.assertSays("command: expected a text, found a list", changed(JOB, command=[]), JobMessage)
        self.assertSays(
            "command: a NUL cannot be part of a command", changed(JOB, command="a\0b"), JobMessage
        )
        self.assertSays("job_id: expected a whole number, found true", changed(JOB, job_id=True), JobMessage)
        self.assertSays('grant: expected true or false, found "yes"', changed(JOB, grant="yes"), JobMessage)
        self.assertSays(
            'slot: expected an ISO 8601 time, found "soon"', changed(JOB, slot="soon"), JobMessage
        )
        self.assertSays('slot: expected an ISO 8601 time, found ""', changed(JOB, slot=""), JobMessage)
        self.assertSays(
            'slot: expected an ISO 8601 time, found "0001-01-01T00:00:00+01:00"',
            changed(JOB, slot="0001-01-01T00:00:00+01:00"),
            JobMessage,
        )


class ResultMessageTests(RefusalCase):
    """What a runner tells of a run."""

    def test_only_what_the_type_has(self) -> None:
        """A report holds the keys of its type and no nulls, as in 0.27."""
        message = ResultMessage(RUN, 1, Report.STARTING, SENT, "localhost", SENT - timedelta(microseconds=9))
        self.assertEqual(
            json.loads(message.encode()),
            {
                "job_id": 1,
                "run_id": RUN,
                "type": "starting",
                "x-send-datetime": "2026-11-23 07:04:55.016520",
                "x-host": "localhost",
                "start_time": "2026-11-23 07:04:55.016511",
            },
        )

    @given(
        st.builds(
            ResultMessage,
            ids,
            numbers,
            st.sampled_from(Report),
            times,
            texts,
            st.none() | times,
            numbers,
            st.none() | st.floats(-(2**31), 2**31 - 1),
            st.none() | texts,
            st.none() | st.sampled_from(sorted(ENDED)),
            st.none() | ids,
            st.none() | texts,
        )
    )
    def test_round_trip(self, message: ResultMessage) -> None:
        """Results reads what the runner wrote, in any year and any script."""
        self.assertEqual(ResultMessage.decode(message.encode()), message)

    def test_unknown_keys_are_ignored(self) -> None:
        """A newer runner may say more."""
        self.assertEqual(
            ResultMessage.decode(changed(FINISHED, load=[0.5])), ResultMessage.decode(written(FINISHED))
        )

    def test_null_is_absent(self) -> None:
        """A program that writes null for what it does not know is understood."""
        nulls = dict.fromkeys(["start_time", "reason", "outcome", "token", "runner"])
        self.assertEqual(
            ResultMessage.decode(changed(FINISHED, **nulls)), ResultMessage.decode(written(FINISHED))
        )

    def test_whole_seconds(self) -> None:
        """A run time may be a whole number."""
        self.assertEqual(ResultMessage.decode(changed(FINISHED, run_time=3)).run_time, 3)

    def test_who_asks(self) -> None:
        """Only the announcement of a start with a token asks for a grant."""
        for report in Report:
            message = ResultMessage(RUN, 1, report, SENT, "h", return_code=0, token=TOKEN)
            self.assertEqual(ResultMessage.decode(message.encode()).asks, report is Report.STARTING)
        self.assertFalse(ResultMessage(RUN, 1, Report.STARTING, SENT, "h").asks)

    def test_message_ids_differ(self) -> None:
        """Each report of a run has a message id of its own."""
        self.assertEqual(
            len({ResultMessage(RUN, 1, report, SENT, "h").message_id for report in Report}), len(Report)
        )

    def test_missing_keys(self) -> None:
        """Every key that a finished run needs is asked for by name."""
        for key in ("job_id", "run_id", "type", "x-send-datetime", "x-host", "return_code"):
            rest = {name: value for name, value in FINISHED.items() if name != key}
            self.assertSays(f"{key}: missing", written(rest))

    def test_refusals(self) -> None:
        """Each fault has its sentence."""
        for sentence, changes in (
            (
                'type: expected one of starting, finished, failed, lost, returned, found "died"',
                {"type": "died"},
            ),
            ("type: expected a text, found 3", {"type": 3}),
            ('job_id: expected a whole number, found "1"', {"job_id": "1"}),
            ("job_id: expected a whole number, found 1.0", {"job_id": 1.0}),
            ("job_id: 2147483648 cannot be stored", {"job_id": 2**31}),
            ("return_code: expected a whole number, found null", {"return_code": None}),
            ("return_code: -2147483649 cannot be stored", {"return_code": -(2**31) - 1}),
            ("run_time: NaN cannot be stored", {"run_time": float("nan")}),
            ("run_time: Infinity cannot be stored", {"run_time": float("inf")}),
            ("run_time: expected a number, found an object", {"run_time": {}}),
            ('run_id: expected 32 lower-case hex digits, found ""', {"run_id": ""}),
            (f'run_id: expected 32 lower-case hex digits, found "{RUN.upper()}"', {"run_id": RUN.upper()}),
            (f'run_id: expected 32 lower-case hex digits, found "{RUN}\\n"', {"run_id": RUN + "\n"}),
            ('token: expected 32 lower-case hex digits, found ""', {"token": ""}),
            ('reason: "\\ud800" cannot be stored', {"reason": "\ud800"}),
            (
                'outcome: expected one of succeeded, failed, timed_out, killed, found "queued"',
                {"outcome": "queued"},
            ),
            (
                'start_time: expected YYYY-MM-DD HH:MM:SS.ffffff, found "2026-02-30 00:00:00.0"',
                {"start_time": "2026-02-30 00:00:00.0"},
            ),
        ):
            self.assertSays(sentence, changed(FINISHED, **changes))
        self.assertSays(
            'x-send-datetime: expected YYYY-MM-DD HH:MM:SS.ffffff, found "now"',
            changed(FINISHED, x_send_datetime="now"),
        )

    def test_an_end_that_is_none_is_refused(self) -> None:
        """No report can move a run to a status that is not the end of a command."""
        for status in set(Status) - ENDED:
            self.assertRaises(BadMessage, ResultMessage.decode, changed(FINISHED, outcome=status))


class GrantTests(RefusalCase):
    """The answer of results."""

    @given(st.lists(st.builds(Grant, ids, texts, st.booleans(), st.none() | texts)))
    def test_round_trip(self, grants: list[Grant]) -> None:
        """The runner reads what results wrote."""
        self.assertEqual(Answers.decode(write_answers(grants)), grants)

    def test_refusals(self) -> None:
        """An answer that says nothing is no answer."""
        for said in ({}, {"answers": {"granted": True}}, {"answers": [True]}):
            self.assertSays("answers: expected a list of objects", written(said), Answers)
        self.assertSays("run_id: missing", written({"answers": [{}]}), Answers)
        half = {"run_id": RUN, "token": TOKEN}
        self.assertSays("granted: missing", written({"answers": [half]}), Answers)


class OutputTests(RefusalCase):
    """What a report keeps of the output of its run."""

    def test_round_trip(self) -> None:
        """Results reads what the runner wrote; a report without output has no such key."""
        message = ResultMessage.decode(written(FINISHED))
        self.assertNotIn(b"output", message.encode())
        kept = Output(
            9**15, (Piece(Stream.OUT, "a\0\n"), Piece(Stream.ERR, "\U0001f418")), (Piece(Stream.OUT, ""),)
        )
        self.assertEqual(ResultMessage.decode(replace(message, output=kept).encode()).output, kept)

    def test_longest(self) -> None:
        """The most that may be kept fits into a message, at its worst."""
        for text in ("\x01", "\\xff", "\uffff"):
            pieces = tuple(Piece(stream, text) for _ in range(LONGEST // 2) for stream in Stream)
            message = replace(ResultMessage.decode(written(FINISHED)), output=Output(2**40, pieces))
            self.assertEqual(ResultMessage.decode(message.encode()), message)

    def test_garbage(self) -> None:
        """What makes no sense is refused."""
        part = f"expected at most {LONGEST} bytes of output, in pairs of texts"
        cases: list[tuple[Any, str]] = [
            ("hello", "output: expected an object"),
            ({}, "output.size: expected a number of bytes"),
            ({"size": True}, "output.size: expected a number of bytes"),
            ({"size": 2**63}, "output.size: expected a number of bytes"),
            ({"size": 1, "head": "out"}, f"output.head: {part}"),
            ({"size": 1, "head": [["out"]]}, f"output.head: {part}"),
            ({"size": 1, "head": [["in", ""]]}, f"output.head: {part}"),
            ({"size": 1, "tail": [["out", "\ud800"]]}, f"output.tail: {part}"),
            ({"size": 1, "tail": [["out", "x" * (4 * LONGEST + 1)]]}, f"output.tail: {part}"),
        ]
        for said, sentence in cases:
            self.assertSays(sentence, changed(FINISHED, output=said))


class GarbageTests(RefusalCase):
    """Whatever lands in the queues, a daemon only ever has to deal with `BadMessage`, and with one line."""

    def assertRefusedOrRead(self, body: bytes) -> None:
        for kind in (JobMessage, ResultMessage, Answers):
            try:
                kind.decode(body)
            except BadMessage as error:
                self.assertEqual(len(str(error).splitlines()), 1, str(error))

    def test_no_json(self) -> None:
        """It says what is wrong, and in which place."""
        self.assertSays("not JSON: Expecting value: line 1 column 1 (char 0)", b"")
        self.assertSays("not a JSON object", b"[1, 2]")
        self.assertSays("not a JSON object", b"null")

    def test_too_large(self) -> None:
        """A message of megabytes is not even looked at."""
        self.assertSays(
            f"too large: {SIZE_LIMIT + 1} bytes, at most {SIZE_LIMIT} are read", b" " * (SIZE_LIMIT + 1)
        )

    def test_endless_number(self) -> None:
        """Digits without end do not keep the daemon busy."""
        self.assertRaises(BadMessage, ResultMessage.decode, b'{"job_id": ' + b"9" * 500_000 + b"}")

    def test_nesting_of_any_depth(self) -> None:
        """However deep the brackets go, it is a refusal and no end of the stack."""
        for depth in [*range(900, 1000), 100_000]:
            for key in ("command", "type"):
                body = b'{"%s": %s%s}' % (key.encode(), b"[" * depth, b"]" * depth)
                self.assertRefusedOrRead(body)

    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        """Noise is refused with a sentence."""
        self.assertRefusedOrRead(body)

    @given(json_values)
    def test_any_json(self, value: Any) -> None:
        """JSON that is no message is refused with a sentence."""
        self.assertRefusedOrRead(written(value))

    @given(st.sampled_from([JOB, FINISHED]), st.data())
    def test_one_wrong_value(self, good: dict[str, Any], data: st.DataObject) -> None:
        """A message with any value in the place of a right one is read or refused with a sentence."""
        keys = [*good, "slot", "grant", "attempt", "token", "outcome", "start_time", "reason", "runner"]
        key = data.draw(st.sampled_from(keys))
        self.assertRefusedOrRead(written(good | {key: data.draw(json_values)}))
