"""The shapes of what is to come."""

from cronq.web.api.description.schemas import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    TIME,
    Schema,
    list_of,
    maybe,
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
