"""The rules in a job message: those that its runner has to know, written as in a document."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cronq.domain.command_keys import COMMAND_KEYS
from cronq.domain.document_parts import faults_at
from cronq.domain.errors import BadMessage
from cronq.domain.json_places import member
from cronq.domain.message_fields import Fields
from cronq.domain.rules import DEFAULT_RULES, Rules, read_rules, rules_as_json


@lru_cache(maxsize=1000)
def command_rules(rules: Rules) -> Mapping[str, Any]:
    """What a message says of these rules: nothing of those that are the default."""
    return {name: value for name, value in rules_as_json(rules.encode()).items() if name in COMMAND_KEYS}


def take_rules(data: Fields, key: str) -> Rules:
    """The rules that a message says; raises `BadMessage`. Unknown ones are ignored, as unknown keys are."""
    said = data.get(key)
    if said is None:
        return DEFAULT_RULES
    if not isinstance(said, dict):
        raise BadMessage(f"{key}: expected an object")
    known = {name: value for name, value in said.items() if name in COMMAND_KEYS}
    for name, value in known.items():
        for fault in faults_at(member(key, name), COMMAND_KEYS[name].rule, value):
            raise BadMessage(str(fault))
    return read_rules(known)
