"""By what of its rules a job is found in a list of many."""

import enum
from datetime import datetime

from cronq.domain.pauses import pause_of
from cronq.domain.rules import Rules


class Facet(enum.StrEnum):
    """What of a job can be asked for."""

    #: Whose it is.
    OWNER = "owner"
    TAG = "tag"
    #: Until when its document pauses it, or does not enable it.
    PAUSED_UNTIL = "paused_until"


def facets_of(rules: Rules) -> set[tuple[Facet, str]]:
    """The values of each facet."""
    found = {(Facet.TAG, tag) for tag in rules.tags}
    if rules.owner:
        found.add((Facet.OWNER, rules.owner))
    pause = pause_of(rules, None, None)
    if pause is not None:
        found.add((Facet.PAUSED_UNTIL, moment_text(pause.end)))
    return found


def moment_text(moment: datetime) -> str:
    """An instant as the value of a facet: the later one is also the greater text."""
    return moment.isoformat(timespec="microseconds")
