"""Looking on while a run runs: the streams of its page and of the API, and what there is so far."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

from sqlalchemy import Connection, insert, select, update
from twisted.internet.testing import StringTransport

from cronq.database.live_output import LINGER, record_excerpts
from cronq.database.output_tables import excerpts, viewings
from cronq.database.tables import definitions, events, runs
from cronq.domain.live_output import LEASE, Excerpt
from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.rules import Rules
from cronq.domain.runs import Status
from cronq.web.actions import looker
from cronq.web.actions.look import (
    LAST_WORDS,
    LONGEST,
    NO_ANSWER,
    NOT_KEPT,
    OLD_RUNNER,
    SHORTEST,
    SILENT,
    TOO_MANY,
)
from cronq.web.actions.looker import PATIENCE
from cronq.web.site import make_site
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_output, add_run
from tests.web.support import WebTestCase

OUT, ERR = Stream
Told = tuple[str, str, Any]


class Reader:
    """A browser that listens to a stream."""

    def __init__(self, case: "LookingCase", path: str, **headers: str) -> None:
        self._transport = StringTransport()
        channel = make_site(case.site.resource).buildProtocol(None)
        channel.makeConnection(self._transport)
        self.leave = lambda: channel.connectionLost(mock.Mock())
        case.addCleanup(self.leave)
        lines = [f"GET {path} HTTP/1.1", "Host: cronq.example"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        channel.dataReceived("\r\n".join([*lines, "", ""]).encode())

    def raw(self) -> str:
        """What has come since the last time, without the framing of HTTP."""
        found = self._transport.value().decode()
        self._transport.clear()
        head, _, body = found.partition("\r\n\r\n") if found.startswith("HTTP") else ("", "", found)
        return body if "Content-Length" in head else "".join(body.split("\r\n")[1::2])

    def told(self) -> list[Told]:
        """The events since the last time: name, id and what was said."""
        found = []
        for block in self.raw().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "data" in fields:
                found.append((fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])))
        return found


class LookingCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")
        self.run_id = self.write(
            add_full_run, self.job, Status.RUNNING, NOW - timedelta(minutes=1), None, definition_id=1
        )
        self.position = 0

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on."""
        self.now += timedelta(seconds=seconds)
        self.clock.pump([seconds / 20] * 20)

    def look(self, path: str = "/run/{}/stream", **headers: str) -> Reader:
        return Reader(self, path.format(self.run_id), **headers)

    def send(self, *data: bytes, stream: Stream = OUT, skip: int = 0) -> None:
        """What results does when the runner has sent something; `skip` bytes are lost before it."""
        self.position += skip
        for each in data:
            excerpt = Excerpt(self.run_id, self.position, self.position + len(each), ((stream, each),))
            self.write(record_excerpts, [excerpt])
            self.position = excerpt.stop

    def end(self, kept: Output | None = None, status: Status = Status.SUCCEEDED) -> None:
        """The end of the run is recorded, with what is kept of its output."""
        values = {"status": status.value, "ended_at": self.now, "recorded_at": self.now, "return_code": 0}

        def record(connection: Connection) -> None:
            connection.execute(update(runs).where(runs.c.run_id == self.run_id).values(values))
            if kept is not None:
                add_output(connection, self.run_id, kept)

        self.write(record)

    def rows(self, table: Any) -> list[Any]:
        found: list[Any] = self.write(lambda connection: list(connection.execute(select(table))))
        return found


def text(told: list[Told]) -> str:
    """What was written, with gaps as they are told."""
    return "".join(
        "".join(text for text, _ in said["spans"]) + (f"<{said['text']}>" if name == "gap" else "")
        for name, _, said in told
        if name in {"output", "gap", "end"}
    )


class PageStreamTests(LookingCase):
    def test_as_it_comes(self) -> None:
        """What is written is told as it comes, with colours; then the end of the run, and the stream ends."""
        reader = self.look()
        self.assertEqual(reader.told(), [("state", "", {"status": "running"})])
        self.send(b"one \x1b[31mre")
        self.send(b"d", b"oops", stream=ERR)
        self.pass_time(LONGEST)
        self.assertEqual(
            reader.told(),
            [("output", str(self.position), {"spans": [["one ", ""], ["re", "c1"], ["doops", "err"]]})],
        )
        self.send(b" and \xe2\x82")
        self.pass_time(LONGEST)
        ((_, position, said),) = reader.told()
        self.assertEqual((position, said["spans"]), (str(self.position - 2), [[" and ", "c1"]]))
        self.send(b"\xac!")
        self.end(Output(self.position, ()))
        self.pass_time(LONGEST)
        found = reader.told()
        self.assertEqual(text(found), "\u20ac!")
        self.assertEqual([name for name, *_ in found], ["state", "output", "end"])
        self.assertEqual(found[-1][2], {"status": "succeeded", "spans": [], "whole": True})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_somebody_looks(self) -> None:
        """As long as somebody looks there is a row that says so, and none when nobody does."""
        self.assertEqual(self.rows(viewings), [])
        reader = self.look()
        self.assertEqual((len(self.rows(viewings)), self.wakes), (1, 1))
        for _ in range(6):
            self.pass_time(15)
            self.assertGreater(self.rows(viewings)[0].until, self.now)
        self.assertEqual(self.wakes, 1)
        reader.leave()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.pass_time(LEASE)
        self.assertLessEqual(self.rows(viewings)[0].until, self.now)

    def test_resumed(self) -> None:
        """Whoever comes back goes on where they were, by the header or by the address."""
        self.send_seen(b"0123456789")
        for reader in (self.look(Last_Event_ID="4"), self.look("/run/{}/stream?from=4")):
            self.pass_time(LONGEST)
            self.assertEqual(text(reader.told()), "456789")
        reader = self.look(Last_Event_ID="10")
        self.assertEqual([name for name, *_ in reader.told()], ["state"])

    def send_seen(self, *data: bytes) -> None:
        """The same, while somebody looks."""
        self.look().leave()
        self.send(*data)

    def test_nonsense(self) -> None:
        """A place that is none is refused, and so is a run that is not there."""
        for path in (
            "/run/{}/stream?from=x",
            "/run/{}/stream?from=-1",
            "/api/runs/{}/stream?from=" + "9" * 19,
        ):
            self.assertEqual(self.get(path.format(self.run_id)).code, 400)
        for path in ("/run/%s/stream", "/api/runs/%s/stream", "/api/runs/%s/output", "/run/%s/output.txt"):
            for run in ("0" * 32, "x", "%FF"):
                self.assertEqual(self.get(path.replace("%s", run)).code, 404)

    def test_gap(self) -> None:
        """What did not fit is told, in its place."""
        reader = self.look()
        self.send(b"one")
        self.send(b"two", skip=1_000_000)
        self.pass_time(LONGEST)
        self.assertEqual(text(reader.told()), "one<1,000,000 bytes are left out here>two")

    def test_queued(self) -> None:
        """Whoever looks before it begins sees it begin; until then nobody is told."""
        queued = self.write(add_run, self.job, Status.QUEUED, definition_id=1)
        reader = Reader(self, f"/run/{queued}/stream")
        self.pass_time(10)
        self.assertEqual(reader.told(), [("state", "", {"status": "queued"})])
        self.assertEqual(self.rows(viewings), [])
        values = {"status": "running", "runner": "w.1", "started_at": self.now}
        self.write(lambda c: c.execute(update(runs).where(runs.c.run_id == queued).values(values)))
        self.pass_time(LONGEST)
        self.assertEqual(reader.told(), [("state", "", {"status": "running"})])
        self.assertEqual([row.run_id for row in self.rows(viewings)], [queued])

    def test_pruned(self) -> None:
        """When the run is deleted, the stream ends."""
        reader = self.look()
        for table in (events, runs):
            self.write(lambda connection, table=table: connection.execute(table.delete()))
        self.pass_time(LONGEST)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual([name for name, *_ in reader.told()], ["state"])

    def test_too_many_readers(self) -> None:
        """One web lets only so many look on at once."""
        self.patch(looker, "MOST_LOOKING", 2)
        first, _ = self.look(), self.look()
        answer = self.get(f"/api/runs/{self.run_id}/stream")
        self.assertEqual((answer.code, answer.header("Retry-After")), (429, "30"))
        first.leave()
        self.assertEqual(self.look().told()[0][0], "state")


class EndTests(LookingCase):
    """The end of a run, and of its output, which come by different ways."""

    def test_over_already(self) -> None:
        """Of a run that is over, what is kept is told at once."""
        head, tail = (Piece(OUT, "abc"), Piece(ERR, "d")), (Piece(OUT, "xyz"),)
        self.end(Output(1000, head, tail, (4, 997)), Status.FAILED)
        found = self.look().told()
        self.assertEqual(
            [(name, place) for name, place, _ in found][1:4],
            [("output", "4"), ("gap", "997"), ("output", "1000")],
        )
        self.assertEqual(text(found), "abcd<993 bytes are left out here>xyz")
        self.assertEqual(found[-1][2]["whole"], True)

    def test_without_output(self) -> None:
        """Of a run without output, its end is told and nothing else."""
        self.end()
        self.assertEqual([name for name, *_ in self.look().told()], ["state", "end"])

    def test_last_words_come_later(self) -> None:
        """What is under way when the end is recorded is waited for."""
        reader = self.look()
        self.send(b"one")
        self.pass_time(LONGEST)
        self.end(Output(6, (Piece(OUT, "onetwo"),)))
        self.pass_time(LAST_WORDS / 2)
        self.assertEqual([name for name, *_ in reader.told()], ["state", "output", "state"])
        self.send(b"two")
        self.pass_time(SHORTEST)
        found = reader.told()
        self.assertEqual((text(found), found[-1][0]), ("two", "end"))

    def test_last_words_are_lost(self) -> None:
        """It is said that they are missing, and that what is kept has them."""
        reader = self.look()
        self.send(b"one")
        self.pass_time(LONGEST)
        reader.told()
        self.end(Output(6, (Piece(OUT, "onetwo"),)))
        self.pass_time(LAST_WORDS + LONGEST)
        found = reader.told()
        self.assertEqual(text(found), "<3 bytes are left out here>")
        self.assertEqual(found[-1][2]["whole"], False)
        again = self.look()
        self.assertEqual(text(again.told()), "onetwo")

    def test_came_back_late(self) -> None:
        """Whoever was cut off gets the rest if they come back soon after the end, and else the word of it."""
        self.look().leave()
        self.send(b"onetwo")
        self.end(Output(6, (Piece(OUT, "onetwo"),)))
        self.pass_time(10)
        reader = self.look(Last_Event_ID="3")
        self.pass_time(1)
        self.assertEqual(text(reader.told()), "two")
        self.write(lambda connection: connection.execute(excerpts.delete()))
        self.pass_time(LINGER.total_seconds())
        self.assertEqual(text(self.look(Last_Event_ID="3").told()), "<3 bytes are left out here>")


class RemarkTests(LookingCase):
    """Why there is nothing to be seen."""

    def remarks(self, reader: Reader) -> list[str]:
        return [said["text"] for name, _, said in reader.told() if name == "remark"]

    def test_no_answer(self) -> None:
        """A runner that does not answer is said to be silent after some seconds, until it answers."""
        reader = self.look()
        self.pass_time(4)
        self.assertEqual(self.remarks(reader), [])
        self.pass_time(4)
        self.assertEqual(self.remarks(reader), [NO_ANSWER])
        self.send(b"")
        self.pass_time(LONGEST)
        self.assertEqual(self.remarks(reader), [""])
        self.pass_time(LEASE + LONGEST)
        self.assertEqual(self.remarks(reader), [SILENT])

    def test_old_runner(self) -> None:
        """A runner of 0.27 is not waited for."""
        self.write(lambda c: c.execute(update(runs).values(runner=None)))
        reader = self.look()
        self.assertEqual((self.remarks(reader), self.rows(viewings)), ([OLD_RUNNER], []))

    def test_not_kept(self) -> None:
        """Where nothing is to be kept, nothing is asked for."""
        rules = Rules(output_limit=0).encode()
        self.write(lambda c: c.execute(update(definitions).values(rules=rules)))
        reader = self.look()
        self.assertEqual((self.remarks(reader), self.rows(viewings)), ([NOT_KEPT], []))

    def test_too_many(self) -> None:
        """When too many runs are looked at, the next has to wait, and goes on by itself."""
        row = {"until": NOW + timedelta(hours=1), "publish_after": NOW}
        many = [row | {"run_id": f"f{number:031x}"} for number in range(64)]
        self.write(lambda c: c.execute(insert(viewings), many))
        reader = self.look()
        self.assertEqual(self.remarks(reader), [TOO_MANY])
        self.write(lambda c: c.execute(viewings.delete()))
        self.pass_time(LONGEST)
        self.assertEqual(self.remarks(reader), [""])


class ApiTests(LookingCase):
    """`GET /api/runs/<run_id>/output` and `/stream`."""

    def test_stream(self) -> None:
        """Programs get the text as it was written, the run as the API has it, and positions."""
        reader = self.look("/api/runs/{}/stream")
        ((name, _, run),) = reader.told()
        self.assertEqual((name, run["id"], run["status"]), ("state", self.run_id, "running"))
        self.send(b"\x1b[31mred")
        self.send(b"x", skip=7)
        self.pass_time(LONGEST)
        output, gap, more = reader.told()
        self.end(Output(self.position, ()))
        self.pass_time(LONGEST)
        state, end = reader.told()
        piece = {"stream": "out", "text": "\x1b[31mred"}
        self.assertEqual(output, ("output", "8", {"from": 0, "to": 8, "pieces": [piece]}))
        self.assertEqual(gap, ("gap", "15", {"from": 8, "to": 15}))
        self.assertEqual(
            (more[1], end[0], end[2]["status"], state[2]["status"]), ("16", "end", "succeeded", "succeeded")
        )

    def output(self, **headers: str) -> str:
        """The answer to a question that may have to wait for the runner."""
        reader = self.look("/api/runs/{}/output", **headers)
        self.pass_time(PATIENCE + LONGEST)
        return reader.raw()

    def test_so_far(self) -> None:
        """Of a run that runs, the runner is asked, and waited for for a moment."""
        found = json.loads(self.output())["data"]["output"]
        expected = {
            "run_id": self.run_id,
            "status": "running",
            "size": 0,
            "parts": [],
            "left_out": 0,
            "remark": None,
        }
        self.assertEqual(found, expected)
        self.assertEqual(self.wakes, 1)
        self.send(b"one", b"two")
        self.send(b"three", skip=2)
        found = json.loads(self.output())["data"]["output"]
        self.assertEqual((found["size"], found["left_out"]), (13, 2))
        self.assertEqual([(part["from"], part["to"]) for part in found["parts"]], [(0, 6), (8, 13)])
        self.assertEqual(self.output(Accept="text/plain"), "onetwo\n[2 bytes are left out here]\nthree")

    def test_over(self) -> None:
        """Of a run that is over, what is kept is there at once."""
        self.end(Output(3, (Piece(OUT, "abc"),)))
        answer = self.get(f"/api/runs/{self.run_id}/output")
        part = {"from": 0, "to": 3, "pieces": [{"stream": "out", "text": "abc"}]}
        self.assertEqual(answer.json["data"]["output"]["parts"], [part])
        plain = self.get(f"/api/runs/{self.run_id}/output", headers={"Accept": "text/plain;q=0.9, */*"})
        self.assertEqual((plain.header("Content-Type"), plain.text), ("text/plain; charset=utf-8", "abc"))

    def test_nothing_written(self) -> None:
        """Of a run that has not started, was skipped or is lost it is said, and where else to look."""
        for status, columns, said in (
            (Status.QUEUED, {}, "It has not started yet."),
            (Status.SKIPPED, {"reason": "paused: we move"}, "It was skipped: paused: we move"),
            (Status.LOST, {"host": "worker-1"}, "in the log of its job on worker-1, in the log folder"),
        ):
            run_id = self.write(add_run, self.job, status, **columns)
            found = self.get(f"/api/runs/{run_id}/output").json["data"]["output"]
            self.assertEqual((found["size"], found["parts"]), (0, []))
            self.assertIn(said, found["remark"])
        self.assertIn(said, self.get(f"/run/{run_id}").page.text)


class PlainTextTests(LookingCase):
    """`/run/<run_id>/output.txt?follow=1`, for browsers without scripts and for curl."""

    def test_follow(self) -> None:
        """It goes on as long as the run does, and says how that ended."""
        reader = self.look("/run/{}/output.txt?follow=1")
        self.send(b"one\n")
        self.pass_time(LONGEST)
        self.assertEqual(reader.raw(), "one\n")
        self.send(b"two\n", skip=3)
        self.end(Output(self.position, ()))
        self.pass_time(LONGEST)
        said = "\n[3 bytes are left out here]\ntwo\n\n[The run is over: succeeded.]\n"
        self.assertEqual(reader.raw(), said)

    def test_over(self) -> None:
        """Of a run that is over, it is what is kept and how it ended; without `follow` only the former."""
        self.end(Output(3, (Piece(OUT, "abc"),)))
        said = "abc\n[The run is over: succeeded.]\n"
        self.assertEqual(self.get(f"/run/{self.run_id}/output.txt?follow=1").text, said)
        self.assertEqual(self.get(f"/run/{self.run_id}/output.txt").text, "abc")
