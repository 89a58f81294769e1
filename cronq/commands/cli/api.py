"""What the commands ask of the API (docs/api.md)."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from cronq.commands.cli.answers import Job, Run, Runner, read_job, read_run, read_runner
from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.cli.server import Data, Server
from cronq.domain.jobs import is_job_id, named_jobs, several_job_ids
from cronq.domain.runs import OPEN

PAGE = 100  # jobs or runners, the most that the API gives at once

_RUN_ID = re.compile("[0-9a-f]{32}")

T = TypeVar("T")


def list_jobs(server: Server, category: str | None = None) -> Iterator[Job]:
    """All jobs, or those of a category, by id."""
    query: dict[str, str | int] = {"per_page": PAGE, "sort": "id.asc"}
    if category is not None:
        query["category.name"] = category
    last_id = 0
    for jobs in _pages(server, "jobs", query, read_job):
        # A job that was removed meanwhile moves the others to earlier pages, never to later ones.
        yield from (job for job in jobs if job.id > last_id)
        last_id = max([last_id, *(job.id for job in jobs)])


def list_runners(server: Server) -> Iterator[Runner]:
    """All runners, by id."""
    seen: set[str] = set()
    for runners in _pages(server, "runners", {"per_page": PAGE}, read_runner):
        # One that was started meanwhile moves the others to later pages.
        yield from (runner for runner in runners if runner.id not in seen)
        seen |= {runner.id for runner in runners}


def find_job(server: Server, text: str) -> Job:
    """The job of an id, or of `category/name`; raises `CommandFailed` when there is none, or several."""
    if is_job_id(text):
        return read_job_of(server, int(text))
    found = [
        job for category, name in named_jobs(text) for job in list_jobs(server, category) if job.name == name
    ]
    if not found:
        raise no_such_job(text)
    if len(found) > 1:
        raise ambiguous_job(text, [job.id for job in found])
    return found[0]


def no_such_job(text: str) -> CommandFailed:
    """The error to raise when no job is called so."""
    hint = "Say its id, or its category and name as in `example/backup`; `cronq jobs` lists what there is."
    return CommandFailed(f"there is no job {text}", Exit.NOT_FOUND, hint)


def ambiguous_job(text: str, job_ids: Iterable[int]) -> CommandFailed:
    """The error to raise when several jobs are called so, since categories and names may hold slashes."""
    return CommandFailed(f"several jobs are called {text}", Exit.USAGE, several_job_ids(job_ids))


def read_job_of(server: Server, job_id: int) -> Job:
    """The job of an id, also when it is removed."""
    data = server.get(f"api/jobs/{job_id}")
    return _understood(server, data, lambda found: read_job(found["data"]["job"]))


def check_category(server: Server, name: str) -> None:
    """Raises `CommandFailed` when there is no such category."""
    server.get(f"api/categories/{quote(name, safe='')}")


@dataclass(frozen=True, slots=True)
class Requested:
    """What the server says to a run that was asked for."""

    message: str
    #: None: of a server that makes one run of several requests, and does not know yet which.
    run_id: str | None


def request_run(server: Server, job: Job, request: Mapping[str, Any]) -> Requested:
    """Ask for one run of a job. `request` is who wants it and why, and what the command is given."""
    data = server.post(f"api/jobs/{job.id}/run", request)

    def read(found: Any) -> Requested:
        success = found["success"]
        run_id = success.get("run_id")
        return Requested(str(success["message"]), None if run_id is None else str(run_id))

    return _understood(server, data, read)


def is_run_id(text: str) -> bool:
    """Whether a person who names a run so means its id."""
    return _RUN_ID.fullmatch(text) is not None


def open_runs(server: Server, job: Job) -> list[Run]:
    """The runs of a job that are not over, the latest first, and no more than `PAGE` of them."""
    query: dict[str, str | int] = {"job": job.id, "state": ",".join(sorted(OPEN)), "per_page": PAGE}
    data = server.get("api/runs", query)
    return _understood(server, data, lambda found: [read_run(run) for run in found["data"]["runs"]])


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run that is queued waits for."""

    routing_key: str
    #: Empty when it waits for nothing but a runner.
    reason: str


def read_waiting(server: Server, run_id: str) -> Waiting:
    """The same of a run."""
    data = server.get(f"api/runs/{quote(run_id, safe='')}")

    def read(found: Any) -> Waiting:
        run = found["data"]["run"]
        return Waiting(str(run["routing_key"]), run["reason"] or "")

    return _understood(server, data, read)


def request_kill(server: Server, run_id: str, asking: Mapping[str, str]) -> str:
    """Have a run killed; gives what the server says to it. `asking` is who wants it, and why."""
    data = server.post(f"api/runs/{quote(run_id, safe='')}/kill", asking)
    return _understood(server, data, lambda found: str(found["success"]["message"]))


def do_to_job(server: Server, job: Job, deed: str, said: Mapping[str, Any]) -> str:
    """Pause a job, or what else is done to its slots; gives what the server says to it."""
    data = server.post(f"api/jobs/{job.id}/{deed}", said)
    return _understood(server, data, lambda found: str(found["success"]["message"]))


def drain_runner(server: Server, name: str) -> str:
    """Order a runner to drain; gives what the server says to it."""
    try:
        data = server.post(f"api/runners/{quote(name, safe='')}/drain", {})
    except CommandFailed as error:
        if error.exit_code not in {Exit.NOT_FOUND, Exit.CONFLICT}:
            raise
        hint = "`cronq runners --all` lists what there is."
        raise CommandFailed(str(error), error.exit_code, hint) from error
    return _understood(server, data, lambda found: str(found["success"]["message"]))


def replace_category(server: Server, name: str, document: bytes) -> list[str]:
    """Make a category consist of what the document says; gives the server's warnings."""
    data = server.put(f"api/category/{quote(name, safe='')}", document)
    return [str(warning) for warning in data.get("warnings", ())]


def read_document_of(server: Server, category: str) -> dict[str, Any]:
    """The document of a category, as it is stored."""
    data = server.get(f"api/category/{quote(category, safe='')}")
    return _understood(
        server, data, lambda found: {"category": found["category"], "jobs": list(found["jobs"])}
    )


def read_status(server: Server) -> str:
    """What the server says of itself; raises `Unreachable` when it cannot do its work."""
    return _understood(server, server.get("_status"), lambda found: str(found["status"]))


def _pages(
    server: Server, what: str, query: Mapping[str, str | int], read: Callable[[Any], T]
) -> Iterator[list[T]]:
    """What a list of the API holds; asks for one page after the other."""
    for page in itertools.count():
        data = server.get(f"api/{what}", {**query, "page": page})
        found = _understood(server, data, lambda data: [read(each) for each in data["data"][what]])
        yield found
        if len(found) < PAGE:
            return


def _understood(server: Server, data: Data, read: Callable[[Any], T]) -> T:
    try:
        return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise server.not_cronq("answers in another way than its API") from error
