"""What each key of a category document may hold: one table for the parser and for the JSON Schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cronq.domain.command_keys import COMMAND_KEYS
from cronq.domain.document_kinds import Choice, Key, Schema, Text, shown
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import COMMAND_LENGTH, DEFAULT_ROUTING_KEY, NAME_LENGTH
from cronq.domain.rules import OnLost
from cronq.domain.schedule import parse_schedule

ROUTING_KEY_LENGTH = 255  # bytes of UTF-8: a short string of AMQP 0-9-1, section 4.2.5.3
#: The format in the JSON Schema of what `parse_schedule` accepts.
SCHEDULE_FORMAT = "cronq-schedule"


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """A text that `parse_schedule` accepts."""

    description: str

    def faults(self, value: object) -> Iterator[str]:
        """What `parse_schedule` says, with the place in the text."""
        if not isinstance(value, str):
            yield f"expected a text, found {shown(value)}"
            return
        try:
            parse_schedule(value)
        except BadSchedule as error:
            yield f"{error} (at character {error.position + 1})"

    def schema(self) -> Schema:
        """A text with a format of our own: no regular expression tells a date from a wrong one."""
        return {"type": "string", "description": self.description, "format": SCHEDULE_FORMAT}


CATEGORY_NAME = Text("The category whose jobs these are.", shortest=1, longest=NAME_LENGTH)

JOB_KEYS: Mapping[str, Key] = {
    "name": Key(
        Text("Unique among the jobs of the document.", shortest=1, longest=NAME_LENGTH), required=True
    ),
    "schedule": Key(
        ScheduleText("An ISO 8601 repeating interval, as in R/2013-05-29T00:00:00/PT1M."), required=True
    ),
    "command": Key(
        Text(
            f"Given to /bin/sh -c; at most {COMMAND_LENGTH} bytes of UTF-8.", longest_encoded=COMMAND_LENGTH
        ),
        required=True,
    ),
    "routing_key": Key(
        Text(
            f"The pool of runners that the job goes to; at most {ROUTING_KEY_LENGTH} bytes of UTF-8.",
            shortest=1,
            longest_encoded=ROUTING_KEY_LENGTH,
        ),
        default=DEFAULT_ROUTING_KEY,
    ),
    "on_lost": Key(
        Choice("Whether a run whose runner is gone is tried again, as a new attempt.", OnLost),
        default=OnLost.FAIL.value,
    ),
    **COMMAND_KEYS,
}
#: What the key `defaults` of a document may hold for all of its jobs.
INHERITED_KEYS: Mapping[str, Key] = {name: key for name, key in JOB_KEYS.items() if not key.required}


def cronq_schema() -> Schema:
    """A fresh JSON Schema (draft 2020-12) of a category document.

    It leaves three things to the parser: that names are unique, limits in bytes, and the schedules and
    durations, unless its user checks the formats `cronq-schedule` and `cronq-span`.
    """
    job = {
        "type": "object",
        "required": [name for name, key in JOB_KEYS.items() if key.required],
        "properties": {name: key.schema() for name, key in JOB_KEYS.items()},
    }
    defaults = {
        "type": "object",
        "description": "What holds for each job that does not say otherwise.",
        "properties": {name: key.schema() for name, key in INHERITED_KEYS.items()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A category document of cronq",
        "type": "object",
        "required": ["category", "jobs"],
        "properties": {
            "category": CATEGORY_NAME.schema(),
            "defaults": defaults,
            "jobs": {"type": "array", "items": job},
        },
    }
