"""The shapes of what the API gives and takes, as JSON Schemas (draft 2020-12)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from cronq.domain.access import Role, Via
from cronq.domain.asking import ASKING_KEYS
from cronq.domain.backfilling import Order
from cronq.domain.changes import Action
from cronq.domain.document_parts import Key
from cronq.domain.document_rules import cronq_schema
from cronq.domain.findings import Kind
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.requests import REQUEST_KEYS
from cronq.domain.runs import Status

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
#: UTC, in ISO 8601 without an offset.
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$"}
RUN_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}


def ref(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def one_of(values: type[StrEnum]) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": [each.value for each in values]}


def list_of(schema: Schema) -> Schema:
    """Any number of these."""
    return {"type": "array", "items": schema}


def with_keys(**keys: Schema) -> Schema:
    """An object that has all of these keys; more may follow in later versions."""
    return {"type": "object", "required": list(keys), "properties": keys}


def data(**keys: Schema) -> Schema:
    """What a question is answered with."""
    return with_keys(data=with_keys(**keys))


_RUN = with_keys(
    id=RUN_ID,
    job_id=maybe(INTEGER),
    status=one_of(Status),
    started_at=maybe(TIME),
    started_event_id=maybe(INTEGER),
    completed_at=maybe(TIME),
    completed_event_id=maybe(INTEGER),
    return_code=maybe(INTEGER),
    run_time=maybe(NUMBER),
    host=maybe(STRING),
    slot=maybe(TIME),
    last_slot=maybe(TIME),
    slots=INTEGER,
    cause=maybe(STRING),
    attempt=INTEGER,
    reason=maybe(STRING),
    request={"type": ["object", "null"]},
)
_BACKFILL = with_keys(
    **{"from": TIME},
    id=INTEGER,
    to=TIME,
    order=one_of(Order),
    at_once=INTEGER,
    reason=maybe(STRING),
    asked_at=TIME,
    slots=INTEGER,
    had_run=INTEGER,
    made=INTEGER,
    statuses={"type": "object", "additionalProperties": INTEGER},
    ended_at=maybe(TIME),
    stopped=maybe(STRING),
)
_JOB = with_keys(
    id=INTEGER,
    name=STRING,
    category_id=maybe(INTEGER),
    category=maybe(ref("Category")),
    # As in its document: a text, an object, or a list of them.
    schedule={},
    schedule_in_words=maybe(STRING),
    rules={"type": "object"},
    paused=maybe(with_keys(until=maybe(TIME), reason=STRING)),
    skip_slot=maybe(TIME),
    interval=maybe(NUMBER),
    next_run=maybe(TIME),
    last_run_start=maybe(TIME),
    last_run_stop=maybe(TIME),
    last_run_status=maybe(STRING),
    last_run_text=STRING,
    current_status=STRING,
    routing_key=STRING,
    command=STRING,
    locked_by=maybe(STRING),
    removed_at=maybe(TIME),
    runs=list_of(ref("Run")),
)
_HELD = with_keys(
    id=RUN_ID,
    job_id=maybe(INTEGER),
    category=maybe(STRING),
    name=maybe(STRING),
    slot=maybe(TIME),
    attempt=INTEGER,
    started_at=maybe(TIME),
)
_RUNNER = with_keys(
    id=STRING,
    host=STRING,
    version=STRING,
    status=one_of(RunnerStatus),
    queue=STRING,
    routing_keys=list_of(STRING),
    concurrency=INTEGER,
    busy=INTEGER,
    runs=list_of(_HELD),
    clock_ahead=NUMBER,
    first_heard=TIME,
    last_heard=TIME,
    silent_for=NUMBER,
    drain_ordered_at=maybe(TIME),
)
_FINDING = with_keys(
    kind=one_of(Kind),
    job_id=INTEGER,
    category=maybe(STRING),
    name=STRING,
    run_id=maybe(RUN_ID),
    slot=maybe(TIME),
    last_slot=maybe(TIME),
    slots=INTEGER,
    message=STRING,
)
_AUDIT = with_keys(
    accounted_for=BOOLEAN,
    complete=BOOLEAN,
    findings=list_of(ref("Finding")),
    finding_count=INTEGER,
    **{"from": maybe(TIME)},
    to=TIME,
    pruned_until=maybe(TIME),
    jobs=INTEGER,
    slots=INTEGER,
    slots_without_row=INTEGER,
    runs_by_hand=INTEGER,
    runs_after_others=INTEGER,
    backfilled_runs=INTEGER,
    further_attempts=INTEGER,
    rows_without_slot=INTEGER,
    statuses={"type": "object", "additionalProperties": INTEGER},
)
_CHANGE = with_keys(
    id=INTEGER,
    at=TIME,
    who=maybe(STRING),
    via=one_of(Via),
    address=maybe(STRING),
    action=one_of(Action),
    subject=STRING,
    job_id=maybe(INTEGER),
    part_of=maybe(INTEGER),
    before={"type": ["object", "null"]},
    after={"type": ["object", "null"]},
)
_FAULT: Schema = {
    "type": "object",
    "required": ["place", "message"],
    "properties": {"place": STRING, "message": STRING, "line": INTEGER},
}
_ERROR = with_keys(
    error={
        "type": "object",
        "required": ["message"],
        "properties": {"message": STRING, "faults": list_of(_FAULT), "warnings": list_of(STRING)},
    }
)
_REPLACED: Schema = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "success"}, "warnings": list_of(STRING)},
}


def body_of(keys: Mapping[str, Key]) -> Schema:
    """What somebody may say who asks for something by hand; they may say nothing else."""
    return {
        "type": "object",
        "required": [name for name, key in keys.items() if key.required],
        "properties": {name: key.schema() for name, key in keys.items()},
        "additionalProperties": False,
    }


def schemas() -> dict[str, Schema]:
    """All that have a name."""
    document = {key: value for key, value in cronq_schema().items() if key != "$schema"}
    # In a PUT the name of the category may be absent.
    document["required"] = [key for key in document["required"] if key != "category"]
    return {
        "Asking": body_of(ASKING_KEYS),
        "Audit": _AUDIT,
        "Category": with_keys(id=INTEGER, name=STRING),
        "CategoryDocument": document,
        "Change": _CHANGE,
        "Done": with_keys(success=with_keys(message=STRING)),
        "Error": _ERROR,
        "Finding": _FINDING,
        "Backfill": _BACKFILL,
        "Job": _JOB,
        "Replaced": _REPLACED,
        "Role": one_of(Role),
        "Run": _RUN,
        "Requested": with_keys(success=with_keys(message=STRING, run_id=RUN_ID)),
        "RunRequest": body_of(REQUEST_KEYS),
        "Runner": _RUNNER,
        "Status": with_keys(status={"const": "OK"}),
    }
