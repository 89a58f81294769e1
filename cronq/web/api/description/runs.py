"""The shapes of one run in full, and of its output."""

from cronq.domain.outputs import Stream
from cronq.domain.runs import Status
from cronq.web.api.description.schemas import (
    INTEGER,
    RUN_ID,
    STRING,
    TIME,
    Schema,
    list_of,
    maybe,
    one_of,
    ref,
    with_keys,
)

_STEPS = ("due", "queued", "published", "granted", "started", "ended", "given_up", "recorded")
_PIECE = with_keys(stream=one_of(Stream), text=STRING)
_ATTEMPT = with_keys(id=RUN_ID, attempt=INTEGER, status=one_of(Status))

OUTPUT: Schema = with_keys(
    run_id=RUN_ID,
    status=one_of(Status),
    size=INTEGER,
    parts=list_of(with_keys(**{"from": INTEGER}, to=INTEGER, pieces=list_of(_PIECE))),
    left_out=INTEGER,
    remark=maybe(STRING),
)
RUN_IN_FULL: Schema = {
    "allOf": [
        ref("Run"),
        with_keys(
            job=maybe(with_keys(id=INTEGER, name=STRING, category=maybe(ref("Category")))),
            times=with_keys(**dict.fromkeys(_STEPS, maybe(TIME))),
            publications=INTEGER,
            runner=maybe(STRING),
            command=maybe(STRING),
            routing_key=maybe(STRING),
            kill=maybe(with_keys(ordered_at=TIME, reason=STRING)),
            attempts=list_of(_ATTEMPT),
            output=maybe(with_keys(size=INTEGER, left_out=INTEGER)),
        ),
    ]
}
