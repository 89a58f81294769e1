"""What a job asks for besides its schedule and its command. Each rule has a default that costs nothing."""

import enum
import functools
import json
from dataclasses import dataclass, fields


class OnLost(enum.StrEnum):
    """What becomes of a slot whose run was lost."""

    #: It stays lost.
    FAIL = "fail"
    #: There is another attempt.
    RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one job."""

    on_lost: OnLost = OnLost.FAIL

    def encode(self) -> str | None:
        """The rules that are not the default, as JSON that is always written the same; None when all are."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        chosen = {name: value for name, (value, default) in values.items() if value != default}
        return json.dumps(chosen, separators=(",", ":"), sort_keys=True) if chosen else None


@functools.lru_cache(maxsize=1000)
def decode_rules(text: str | None) -> Rules:
    """The rules that `Rules.encode` wrote."""
    chosen = json.loads(text) if text else {}
    return Rules(on_lost=OnLost(chosen.get("on_lost", OnLost.FAIL)))


DEFAULT_RULES = Rules()
