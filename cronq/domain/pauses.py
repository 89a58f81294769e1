"""Pauses of a job: what its document asks for, and what people ask for on top of it."""

from dataclasses import dataclass
from datetime import datetime

from cronq.domain.rules import Rules

#: The end of a pause that lasts until somebody ends it. (Without a fraction, as it is shown.)
FOR_EVER = datetime(9999, 12, 31, 23, 59, 59)


@dataclass(frozen=True, slots=True)
class Pause:
    """The slots before `end` do not run."""

    end: datetime
    #: Why, as the ledger says it.
    reason: str


def pause_of(rules: Rules, paused_until: datetime | None, pause_reason: str | None) -> Pause | None:
    """What keeps a job from running, or has kept it: of several pauses the one that ends last.

    `paused_until` and `pause_reason` are what people asked for, who come first.
    """
    pauses = []
    if paused_until is not None:
        pauses.append(Pause(paused_until, _in_words("paused", paused_until, pause_reason)))
    if not rules.enabled:
        pauses.append(Pause(FOR_EVER, _in_words("not enabled", FOR_EVER, rules.pause_reason)))
    if rules.paused_until is not None:
        words = _in_words("paused by its document", rules.paused_until, rules.pause_reason)
        pauses.append(Pause(rules.paused_until, words))
    return max(pauses, key=lambda pause: pause.end) if pauses else None


def _in_words(what: str, end: datetime, reason: str | None) -> str:
    until = "" if end >= FOR_EVER else f" until {end:%Y-%m-%d %H:%M:%S} UTC"
    return f"{what}{until}: {reason}" if reason else f"{what}{until}"
