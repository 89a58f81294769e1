"""Which keys a category document has: one table for the parser and for the JSON Schema."""

from collections.abc import Mapping

from cronq.domain.about_keys import ABOUT_KEYS
from cronq.domain.command_keys import COMMAND_KEYS
from cronq.domain.document_parts import Key
from cronq.domain.document_values import Schema, Text
from cronq.domain.jobs import COMMAND_LENGTH, DEFAULT_ROUTING_KEY, NAME_LENGTH
from cronq.domain.schedule_keys import TIME_KEYS, WHEN
from cronq.domain.slot_keys import AFTER, SLOT_KEYS

ROUTING_KEY_LENGTH = 255  # bytes of UTF-8: a short string of AMQP 0-9-1, section 4.2.5.3

CATEGORY_NAME = Text("The category whose jobs these are.", shortest=1, longest=NAME_LENGTH, never=(".", ".."))

#: What a job says of itself.
_OWN_KEYS: Mapping[str, Key] = {
    "name": Key(
        Text("Unique among the jobs of the document.", shortest=1, longest=NAME_LENGTH), required=True
    ),
    "schedule": WHEN,
    "after": AFTER,
    "command": Key(
        Text(
            f"Given to /bin/sh -c; at most {COMMAND_LENGTH} bytes of UTF-8.", longest_encoded=COMMAND_LENGTH
        ),
        required=True,
    ),
}

#: What it may say, or have from the `defaults` of its document.
DEFAULT_KEYS: Mapping[str, Key] = {
    "routing_key": Key(
        Text(
            f"The pool of runners that the job goes to; at most {ROUTING_KEY_LENGTH} bytes of UTF-8.",
            shortest=1,
            longest_encoded=ROUTING_KEY_LENGTH,
        ),
        default=DEFAULT_ROUTING_KEY,
    ),
    **TIME_KEYS,
    **SLOT_KEYS,
    **COMMAND_KEYS,
    **ABOUT_KEYS,
}
JOB_KEYS: Mapping[str, Key] = {**_OWN_KEYS, **DEFAULT_KEYS}


def cronq_schema() -> Schema:
    """A fresh JSON Schema (draft 2020-12) of a category document.

    It leaves to the parser that names are unique, limits in bytes, and what is written in a notation of its
    own, unless its user checks the formats `FORMATS`.
    """
    job = {
        "type": "object",
        "required": [name for name, key in JOB_KEYS.items() if key.required and key is not WHEN],
        "if": {"not": {"required": ["after"]}},
        "then": {"required": ["schedule"]},
        "properties": {name: key.schema() for name, key in JOB_KEYS.items()},
    }
    defaults = {
        "type": "object",
        "description": "What holds for every job that does not say it itself.",
        "properties": {name: key.rule.schema() for name, key in DEFAULT_KEYS.items()},
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
