"""A job as its owner describes it, before the database has given it an id."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cronq.domain.rules import DEFAULT_RULES, Rules

DEFAULT_ROUTING_KEY = "default"
NAME_LENGTH = 255  # characters
COMMAND_LENGTH = 65_535  # bytes of UTF-8: what a TEXT column of MySQL holds
#: What the ids in the database are below.
_LONGEST_ID = 10  # digits


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """One job of a category document."""

    name: str
    #: A schedule text that `parse_schedule` accepts; None: it runs only after others, or by hand.
    schedule: str | None
    #: Given to `/bin/sh -c`.
    command: str
    #: The pool of runners that the job goes to.
    routing_key: str = DEFAULT_ROUTING_KEY
    rules: Rules = DEFAULT_RULES


@dataclass(frozen=True, slots=True)
class Category:
    """A named set of jobs that is replaced as a whole."""

    name: str
    jobs: tuple[JobDefinition, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A recorded run that has to be published for a runner."""

    run_id: str
    job_id: int
    name: str
    command: str
    routing_key: str
    #: None for a run by hand.
    slot: datetime | None
    attempt: int
    #: How often it has been published before.
    publications: int = 0
    #: Those of its definition, as `Rules.encode` wrote them.
    rules: str | None = None
    #: Of a run by hand: what was asked for, as `RunRequest.encode` wrote it.
    request: str | None = None


def named_jobs(text: str) -> Iterator[tuple[str, str]]:
    """What `category/name` may mean: all ways to part it, since either of them may hold slashes itself."""
    parts = text.split("/")
    for count in range(1, len(parts)):
        category, name = "/".join(parts[:count]), "/".join(parts[count:])
        if category and name:
            yield category, name


def several_job_ids(job_ids: Iterable[int]) -> str:
    """What to do when a text names several jobs."""
    return f"Say its id: {' or '.join(map(str, sorted(job_ids)))}."


def is_job_id(text: str) -> bool:
    """Whether a person who names a job so means the id of its row."""
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID
