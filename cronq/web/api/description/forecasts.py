"""The shapes of what is to come, and of what has gone wrong."""

from cronq.domain.runs import Status
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

UPCOMING: Schema = with_keys(
    slots=list_of(
        with_keys(
            slot=TIME, job_id=INTEGER, name=STRING, category=maybe(STRING), usual_duration=maybe(NUMBER)
        )
    ),
    load=with_keys(
        **{"from": TIME},
        to=TIME,
        # Seconds; the lists have an item for each step.
        step=NUMBER,
        starts=list_of(NUMBER),
        running=list_of(NUMBER),
        estimated=BOOLEAN,
    ),
)

FAILURE: Schema = with_keys(
    job_id=INTEGER,
    name=STRING,
    category=maybe(STRING),
    owner=maybe(STRING),
    # Of the latest run.
    run_id=RUN_ID,
    status=one_of(Status),
    at=maybe(TIME),
    # When the first of them ended.
    since=maybe(TIME),
    count=INTEGER,
    # Whether there may be more than were counted.
    more=BOOLEAN,
    last_words=STRING,
    acknowledged={
        "anyOf": [with_keys(who=maybe(STRING), note=maybe(STRING), at=TIME), {"type": "null"}],
    },
)
