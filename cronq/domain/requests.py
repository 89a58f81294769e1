"""A request for a run by hand: who asks, why, and with what the command is to be run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cronq.domain.asking import ASKING_KEYS, read_asking
from cronq.domain.command_keys import ENVIRONMENT
from cronq.domain.document_parts import Key, ListOf
from cronq.domain.document_values import Text, encoded_size
from cronq.domain.errors import BadDocument, Fault

REQUEST_LENGTH = (
    65_535  # bytes of UTF-8 of what `RunRequest.encode` writes: what a TEXT column of MySQL holds
)
MOST_ARGUMENTS = 1000

REQUEST_KEYS: Mapping[str, Key] = {
    **ASKING_KEYS,
    "environment": Key(ENVIRONMENT, default={}),
    "arguments": Key(
        ListOf("$1 and so on in the command.", Text("An argument."), most=MOST_ARGUMENTS), default=[]
    ),
}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What somebody has said who asks for a run."""

    by: str | None = None
    reason: str | None = None
    #: Added to that of the job.
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What was said, without what was not."""
        said = {
            "by": self.by,
            "reason": self.reason,
            "environment": dict(self.environment),
            "arguments": list(self.arguments),
        }
        return {key: value for key, value in said.items() if value}

    def encode(self) -> str:
        """The same as a text."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))


def read_request(data: Mapping[str, Any]) -> RunRequest:
    """The request that a program or a form has sent; raises `BadDocument`."""
    asking = read_asking(data, REQUEST_KEYS)
    request = RunRequest(
        asking.by, asking.reason, data.get("environment", {}), tuple(data.get("arguments", ()))
    )
    if (size := encoded_size(request.encode())) > REQUEST_LENGTH:
        raise BadDocument([Fault("", f"this has {size} bytes in all, at most {REQUEST_LENGTH} are allowed")])
    return request


def decode_request(text: str | None) -> RunRequest | None:
    """What `RunRequest.encode` wrote; None for a run that nobody has asked for so."""
    if text is None:
        return None
    said = json.loads(text)
    return RunRequest(
        said.get("by"),
        said.get("reason"),
        said.get("environment", {}),
        tuple(said.get("arguments", ())),
    )
