"""Replaces categories and asks for runs by hand, over HTTP, as long as it takes; and remembers when."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.integration.chaos.plan import Change, Replace, RunNow
from tests.integration.chaos.workload import Asked, Definition, Replacement

#: Seconds for one answer. It is never given up before: a web that was frozen would carry out what it was told
#: long ago after what it was told later, and that would be our fault. Nothing is held up for so long.
_PATIENCE = 300.0
_BREATH = 0.2


@dataclass(frozen=True, slots=True)
class _Answer:
    begun: datetime
    ended: datetime
    tries: int
    json: Any


class Author:
    """One person, who does one thing after the other; whatever is not answered is done again."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self._url = url
        self._tell = tell
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._stopped = threading.Event()
        self.replacements: list[Replacement] = []
        self.asked: list[Asked] = []

    def carry_out(self, changes: Iterable[Change]) -> None:
        """Do what is planned, each at its time or when the one before is done; `stop` leaves the rest out."""
        begin = time.monotonic()
        for change in changes:
            if self._stopped.wait(max(0.0, begin + change.at - time.monotonic())):
                return
            match change:
                case Replace():
                    self.replace(change.category, change.jobs)
                case RunNow():
                    self.run_now(change.name)

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopped.set()

    def replace(self, category: str, jobs: tuple[Definition, ...]) -> None:
        """Replace a category."""
        body = {"jobs": [job.document for job in jobs]}
        answer = self._ask("PUT", f"/api/category/{category}", body)
        self._tell(f"category {category} is replaced, after {answer.tries} tries")
        self.replacements.append(Replacement(category, answer.begun, answer.ended, jobs))

    def run_now(self, name: str) -> None:
        """Run a job by hand; it must be there."""
        category = name.partition("-")[0]
        found = self._ask("GET", f"/api/jobs?per_page=100&category.name={category}").json["data"]["jobs"]
        (job_id,) = (each["id"] for each in found if each["name"] == name)
        answer = self._ask("POST", f"/api/jobs/{job_id}/run", {})
        self.asked.append(Asked(name, answer.tries))

    def _ask(self, method: str, path: str, body: object = None) -> _Answer:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)
        begun, tries = _now(), 0
        while True:
            tries += 1
            text = self._answer(request)
            if text is not None:
                return _Answer(begun, _now(), tries, json.loads(text))
            time.sleep(_BREATH)

    def _answer(self, request: urllib.request.Request) -> str | None:
        """What the web says; None when it says nothing, or that it cannot just now."""
        try:
            with self._opener.open(request, timeout=_PATIENCE) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                if refusal.code != http.HTTPStatus.SERVICE_UNAVAILABLE:
                    raise AssertionError(f"the web answers {refusal.code}: {refusal.read()!r}") from refusal
                return None
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException):
            return None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
