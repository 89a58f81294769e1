"""The shape of the overview."""

from cronq.domain.concerns import ConcernKind
from cronq.domain.standing import DaemonKind
from cronq.web.api.description.schemas import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    RUN_ID,
    STRING,
    TIME,
    Schema,
    list_of,
    maybe,
    one_of,
    with_keys,
)

_COUNTS: Schema = {"type": "object", "additionalProperties": INTEGER}
_CONCERN = with_keys(
    kind=one_of(ConcernKind),
    # At most 1,000: where there are more, nobody counts them.
    count=INTEGER,
    since=maybe(TIME),
    latest=maybe(TIME),
    title=STRING,
    advice=STRING,
    command=maybe(STRING),
    subjects=list_of(
        with_keys(
            name=STRING,
            job_id=maybe(INTEGER),
            category=maybe(STRING),
            since=maybe(TIME),
            count=maybe(INTEGER),
        )
    ),
)
_DAEMON = with_keys(
    kind=one_of(DaemonKind),
    name=STRING,
    host=STRING,
    version=STRING,
    started_at=TIME,
    seen_at=TIME,
    connected=BOOLEAN,
    alive=BOOLEAN,
)
_RUNNING = with_keys(
    id=RUN_ID,
    job_id=maybe(INTEGER),
    name=maybe(STRING),
    category=maybe(STRING),
    runner=maybe(STRING),
    started_at=maybe(TIME),
    # Seconds, as the next two.
    elapsed=NUMBER,
    usual_duration=maybe(NUMBER),
    usual_limit=maybe(NUMBER),
    overdue=BOOLEAN,
)

OVERVIEW: Schema = with_keys(
    at=TIME,
    # At most 1,000, as the next one.
    running=INTEGER,
    queued=INTEGER,
    # How many things need somebody.
    trouble=INTEGER,
    attention=list_of(_CONCERN),
    runners=_COUNTS,
    daemons=list_of(_DAEMON),
    broker_connected=maybe(BOOLEAN),
    # `late` in seconds.
    last_slot=maybe(with_keys(slot=TIME, late=NUMBER)),
    next_slot=maybe(TIME),
    longest_running=list_of(_RUNNING),
    coming=list_of(
        with_keys(
            slot=TIME, job_id=INTEGER, name=STRING, category=maybe(STRING), usual_duration=maybe(NUMBER)
        )
    ),
    # By the hour in which they were due and by status; null: nobody has counted them yet.
    hours=list_of(with_keys(hour=TIME, runs=maybe(_COUNTS))),
    hours_counted_at=TIME,
)
