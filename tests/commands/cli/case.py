"""The command line in this process, in front of a web that answers what a test says."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.cli import main
from cronq.commands.cli.connection import HttpAnswer, HttpRequest
from cronq.commands.cli.session import Outside

NOW = datetime(2026, 11, 23, 7, 5, 20)
URL = "http://127.0.0.1:5000/"


def run(number: int = 1, **keys: Any) -> dict[str, Any]:
    """A run as the API gives it: it succeeded in its slot, unless `keys` say otherwise."""
    return {
        "id": f"{number:032x}",
        "job_id": 1,
        "status": "succeeded",
        "started_at": "2026-11-23T07:05:00",
        "completed_at": "2026-11-23T07:05:02",
        "return_code": 0,
        "run_time": 2.4,
        "host": "worker-1",
        "slot": "2026-11-23T07:05:00",
        "last_slot": None,
        "slots": 1,
        "attempt": 1,
        "reason": None,
    } | keys


def job(job_id: int = 1, *runs: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A job as the API gives it: every quarter of an hour, unless `keys` say otherwise."""
    return {
        "id": job_id,
        "name": f"job {job_id}",
        "category": {"id": 1, "name": "example"},
        "schedule": "R/2026-01-01T00:00:00Z/PT15M",
        "interval": 900.0,
        "next_run": "2026-11-23T07:15:00",
        "last_run_start": "2026-11-23T07:05:00" if runs else None,
        "last_run_stop": "2026-11-23T07:05:02" if runs else None,
        "last_run_status": "succeeded" if runs else None,
        "current_status": "succeeded" if runs else "none",
        "routing_key": "default",
        "command": "true",
        "rules": {},
        "removed_at": None,
        "runs": list(runs),
    } | keys


def runner(name: str = "worker-1-0b5f3d1c9a2e", **keys: Any) -> dict[str, Any]:
    """A runner as the API gives it: up with nothing in hand, unless `keys` say otherwise."""
    return {
        "id": name,
        "host": "worker-1",
        "version": "1.0.0",
        "status": "up",
        "queue": "cronq_jobs",
        "routing_keys": ["default"],
        "concurrency": 4,
        "busy": 0,
        "runs": [],
        "clock_ahead": 0.012,
        "first_heard": "2026-11-21T07:05:20",
        "last_heard": "2026-11-23T07:05:15",
        "silent_for": 5.2,
        "drain_ordered_at": None,
    } | keys


def answer(data: Any, code: int = 200, **headers: str) -> HttpAnswer:
    """An answer of the API; a text is sent as it is."""
    body = data if isinstance(data, str) else json.dumps(data)
    return HttpAnswer(code, {"content-type": "text/plain", **headers}, body.encode())


def refusal(code: int, message: str, **more: Any) -> HttpAnswer:
    """An answer of the API that says no."""
    return answer({"error": {"message": message, **more}}, code)


def events(*told: tuple[str, Any] | tuple[str, Any, int]) -> HttpAnswer:
    """An answer that tells these events, each with its name, its data and perhaps its id."""
    lines = [":\n\n"]
    for name, data, *number in told:
        place = f"id: {number[0]}\n" if number else ""
        lines.append(f"event: {name}\n{place}data: {json.dumps(data)}\n\n")
    return answer("".join(lines))


class FakeWeb:
    """Gives the answers that a test has prepared: for each request the next one, the last one for ever."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self._answers: defaultdict[str, list[HttpAnswer | Exception]] = defaultdict(list)

    def on(self, request: str, *answers: HttpAnswer | Exception) -> None:
        """Answer a request, such as `GET api/jobs/1`, in this way; an exception is raised."""
        self._answers[request] = list(answers)

    def has_jobs(self, *jobs: dict[str, Any], category: str = "") -> None:
        """Answer with these jobs, each of them alone too, and as those of a category if one is given."""
        where = f"&category.name={category}" if category else ""
        self.on(f"GET api/jobs?per_page=100&sort=id.asc{where}&page=0", answer({"data": {"jobs": jobs}}))
        for each in jobs:
            self.on(f"GET api/jobs/{each['id']}", answer({"data": {"job": each}}))

    def asked(self, method: str = "") -> list[str]:
        """What was asked for, with that method or with any."""
        lines = [f"{each.method} {each.url.removeprefix(URL)}" for each in self.requests]
        return [line for line in lines if line.startswith(method)]

    def send(self, request: HttpRequest) -> HttpAnswer:
        """What the command line calls."""
        self.requests.append(request)
        line = f"{request.method} {request.url.removeprefix(URL)}"
        answers = self._answers[line] or [refusal(404, f"Nothing at {line}.")]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def listen(self, request: HttpRequest) -> tuple[HttpAnswer, Iterator[bytes]]:
        """What it calls for an answer that goes on, here until the end of its body."""
        found = self.send(request)
        return found, iter(found.body.splitlines(keepends=True) if found.code == 200 else ())


class Terminal(StringIO):
    """A stream that says whether it is one."""

    def __init__(self, *, tty: bool = False) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


class CliTestCase(SynchronousTestCase):
    """Runs commands; `self.width` makes the output a terminal of so many columns."""

    def setUp(self) -> None:
        self.web = FakeWeb()
        self.clock = Clock()
        self.width: int | None = None
        self.user: str | None = "ada@example"
        self.environment: dict[str, str] = {}
        self.patch(os, "environ", self.environment)

    def outside(self) -> Outside:
        """What the commands are given instead of a network and a clock."""
        return Outside(
            send=self.web.send,
            listen=self.web.listen,
            now=lambda: NOW,
            monotonic=self.clock.seconds,
            sleep=self.clock.advance,
            width=lambda: self.width,
            user=lambda: self.user,
        )

    def call(self, *arguments: str, stdin: bytes = b"") -> tuple[int, list[str], list[str]]:
        """Run a command: its exit code, and the lines of its output and of its messages."""
        stdout, stderr = Terminal(tty=self.width is not None), Terminal()
        self.patch(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
        self.patch(sys, "stdout", stdout)
        self.patch(sys, "stderr", stderr)
        code = main(arguments, self.outside())
        return code, stdout.getvalue().splitlines(), stderr.getvalue().splitlines()

    def assertSays(self, arguments: list[str], code: int, out: list[str], err: list[str]) -> None:
        """The command ends with that code, and says exactly this."""
        self.assertEqual(self.call(*arguments), (code, out, err))
