"""What the commands ask of the API (docs/api.md)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from cronq.commands.cli.answers import Job, read_job
from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.cli.server import Data, Server
from cronq.domain.jobs import is_job_id, named_jobs

PAGE = 100  # jobs, the most that the API gives at once

T = TypeVar("T")


def list_jobs(server: Server, category: str | None = None) -> Iterator[Job]:
    """All jobs, or those of a category, by id; asks for one page after the other."""
    query: dict[str, str | int] = {"per_page": PAGE, "sort": "id.asc"}
    if category is not None:
        query["category.name"] = category
    page, last_id = 0, 0
    while True:
        data = server.get("api/jobs", query | {"page": page})
        jobs = _understood(server, data, lambda found: [read_job(each) for each in found["data"]["jobs"]])
        # A job that was removed meanwhile moves the others to earlier pages, never to later ones.
        yield from (job for job in jobs if job.id > last_id)
        if len(jobs) < PAGE:
            return
        page, last_id = page + 1, max(last_id, jobs[-1].id)


def find_job(server: Server, text: str) -> Job:
    """The job of an id, or of `category/name`; raises `CommandFailed` when there is none."""
    if is_job_id(text):
        return read_job_of(server, int(text))
    for category, name in named_jobs(text):
        for job in list_jobs(server, category):
            if job.name == name:
                return job
    raise no_such_job(text)


def no_such_job(text: str) -> CommandFailed:
    """The error to raise when no job is called so."""
    hint = "Say its id, or its category and name as in `example/backup`; `cronq jobs` lists what there is."
    return CommandFailed(f"there is no job {text}", Exit.NOT_FOUND, hint)


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


def request_kill(server: Server, run_id: str, asking: Mapping[str, str]) -> str:
    """Have a run killed; gives what the server says to it. `asking` is who wants it, and why."""
    data = server.post(f"api/runs/{quote(run_id, safe='')}/kill", asking)
    return _understood(server, data, lambda found: str(found["success"]["message"]))


def replace_category(server: Server, name: str, document: bytes) -> list[str]:
    """Make a category consist of what the document says; gives the server's warnings."""
    data = server.put(f"api/category/{quote(name, safe='')}", document)
    return [str(warning) for warning in data.get("warnings", ())]


def read_status(server: Server) -> str:
    """What the server says of itself; raises `Unreachable` when it cannot do its work."""
    return _understood(server, server.get("_status"), lambda found: str(found["status"]))


def _understood(server: Server, data: Data, read: Callable[[Any], T]) -> T:
    try:
        return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise server.not_cronq("answers in another way than its API") from error
