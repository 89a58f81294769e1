"""What there is to say of each route of the API besides what its code says: queries, bodies and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cronq.database.reading.jobs import Sort
from cronq.domain.asking import ASKING_KEYS
from cronq.domain.changes import Action
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status
from cronq.web.actions.backfilling import KEYS as BACKFILL_KEYS
from cronq.web.actions.backfilling import STOP_KEYS
from cronq.web.actions.ruling import PAUSE_KEYS
from cronq.web.api.description.forecasts import FAILURE, UPCOMING
from cronq.web.api.description.overviews import OVERVIEW
from cronq.web.api.description.runs import OUTPUT, RUN_IN_FULL
from cronq.web.api.description.schemas import (
    BOOLEAN,
    INTEGER,
    STRING,
    Schema,
    body_of,
    data,
    list_of,
    maybe,
    ref,
    with_keys,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path."""

    #: What it is answered with when all is well; None: with none of JSON.
    answer: Schema | None
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    #: Whether it may be left out.
    body_optional: bool = False
    #: What else it may be answered with, by its type.
    others: Mapping[str, Schema] = field(default_factory=dict)
    #: The codes that it may be answered with besides those that all routes have in common.
    refusals: tuple[int, ...] = ()


def _number(least: int = 0) -> Schema:
    return INTEGER | {"minimum": least}


def _optional(values: type[StrEnum]) -> Schema:
    """One of these words; a form sends nothing for all of them."""
    return {"type": "string", "enum": ["", *(each.value for each in values)]}


def _described(schema: Schema, text: str) -> Schema:
    return schema | {"description": text}


_WHEN = "a date, with or without a time, or how long ago, as in PT6H"
_JOB = "an id, or category and name as in example/backup"
_EVENTS = "events named state, output, gap, remark and end, each with JSON; an id is a number of bytes"
_PAGE = {"page": _number(), "per_page": _number(1)}
_REPLACE = Operation(ref("Replaced"), body=ref("CategoryDocument"), refusals=(400, 409, 413, 415))

#: By method and path, without what the variables in it have to be.
OPERATIONS: Mapping[str, Operation] = {
    "GET /_status": Operation(ref("Status")),
    "PUT /api/category/{name}": _REPLACE,
    "POST /api/category/{name}": _REPLACE,
    "GET /api/category/{name}": Operation(ref("CategoryDocument"), refusals=(404,)),
    "GET /api/categories": Operation(
        data(categories=list_of(ref("Category"))), {"id": _number()}, refusals=(400,)
    ),
    "GET /api/categories/{name}": Operation(data(category=ref("Category")), refusals=(404,)),
    "GET /api/jobs": Operation(
        data(jobs=list_of(ref("Job"))),
        _PAGE
        | {
            "sort": _described(STRING, f"{', '.join(Sort)}; anything else is {Sort.ID_ASC}"),
            "id": _number(),
            "category.id": _number(),
            "category.name": STRING,
        },
        refusals=(400,),
    ),
    "GET /api/jobs/{job_id}": Operation(data(job=ref("Job")), refusals=(404,)),
    "POST /api/jobs/{job_id}/run": Operation(
        ref("Requested"), body=ref("RunRequest"), body_optional=True, refusals=(400, 404, 409, 413, 415)
    ),
    "GET /api/runs": Operation(
        data(runs=list_of(ref("Run")), next=maybe(STRING)),
        {
            "job": _described(STRING, _JOB),
            "state": _described(STRING, f"one or several, with commas: {', '.join(Status)}"),
            "since": _described(STRING, _WHEN),
            "cursor": _described(STRING, "`next` of the page before"),
            "per_page": _number(1),
        },
        refusals=(400, 404),
    ),
    "GET /api/runs/{run_id}": Operation(data(run=RUN_IN_FULL), refusals=(404,)),
    "GET /api/runs/{run_id}/output": Operation(
        data(output=OUTPUT), others={"text/plain": STRING}, refusals=(404,)
    ),
    "GET /api/runs/{run_id}/stream": Operation(
        None,
        {"from": _number()},
        others={"text/event-stream": _described(STRING, _EVENTS)},
        refusals=(400, 404, 429),
    ),
    "POST /api/runs/{run_id}/again": Operation(
        ref("Requested"), body=ref("Asking"), body_optional=True, refusals=(400, 404, 409, 413, 415)
    ),
    "POST /api/runs/{run_id}/kill": Operation(
        ref("Done"), body=ref("Asking"), body_optional=True, refusals=(400, 404, 409, 413, 415)
    ),
    **{
        f"POST /api/jobs/{{job_id}}/{deed}": Operation(
            ref("Done"),
            body=body_of(keys),
            body_optional=not any(key.required for key in keys.values()),
            refusals=(400, 404, 409, 413, 415),
        )
        for deed, keys in (
            ("pause", PAUSE_KEYS),
            ("resume", ASKING_KEYS),
            ("skip-next", ASKING_KEYS),
            ("unskip-next", ASKING_KEYS),
            ("acknowledge", ASKING_KEYS),
            ("unacknowledge", ASKING_KEYS),
            ("backfill", BACKFILL_KEYS),
            ("stop-backfill", STOP_KEYS),
        )
    },
    "GET /api/jobs/{job_id}/backfills": Operation(data(backfills=list_of(ref("Backfill"))), refusals=(404,)),
    "POST /api/schedule/preview": Operation(
        data(preview={"type": "object"}), body=with_keys(schedule={}), refusals=(400, 413, 415)
    ),
    "GET /api/runners": Operation(
        data(runners=list_of(ref("Runner"))), _PAGE | {"status": _optional(RunnerStatus)}, refusals=(400,)
    ),
    "GET /api/runners/{name}": Operation(data(runner=ref("Runner")), refusals=(404,)),
    "POST /api/runners/{name}/drain": Operation(ref("Done"), refusals=(404, 409, 413, 415)),
    "GET /api/audit": Operation(
        data(audit=ref("Audit")),
        {
            "from": _described(STRING, _WHEN),
            "to": _described(STRING, _WHEN),
            "job": _described(STRING, _JOB),
        },
        refusals=(400, 404),
    ),
    "GET /api/changes": Operation(
        data(changes=list_of(ref("Change")), older={"type": ["integer", "null"]}),
        {
            "who": STRING,
            "action": _optional(Action),
            "job": _number(),
            "part_of": _number(),
            "before": _number(),
            "per_page": _number(1),
        },
        refusals=(400,),
    ),
    "GET /api/failures": Operation(data(failures=list_of(FAILURE), more=BOOLEAN)),
    "GET /api/upcoming": Operation(
        data(upcoming=UPCOMING),
        {"hours": {"type": "string", "enum": ["", "24", "168"]}, "category": STRING},
        refusals=(400, 404),
    ),
    "GET /api/overview": Operation(data(overview=OVERVIEW)),
    "GET /api/openapi.json": Operation({"type": "object"}),
}
