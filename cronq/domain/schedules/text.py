"""Reading the text of one schedule, of whichever kind it is."""

import re
from datetime import datetime
from functools import lru_cache
from reprlib import repr as excerpt
from zoneinfo import ZoneInfo

from cronq.domain.durations import as_duration
from cronq.domain.errors import BadSchedule
from cronq.domain.schedules.cron import Cron
from cronq.domain.schedules.cron_text import EXAMPLE as CRON_EXAMPLE
from cronq.domain.schedules.cron_text import parse_cron
from cronq.domain.schedules.interface import Schedule
from cronq.domain.schedules.interval_text import EXAMPLE, parse_at, parse_every, parse_interval

LENGTH_LIMIT = 255  # characters
_SOME_MOMENT = datetime(2000, 1, 1)
_WORD = re.compile(r"(every|at)(?::[ \t]*|[ \t]+)(\S.*)", re.DOTALL)
#: It begins like a cron expression, and has at least two fields.
_CRON = re.compile(r"@|[*?Hh\d,-]\S*[ \t]+\S")
#: As other crons take it.
_ZONED = re.compile(r"(?:CRON_)?TZ=(\S*)\s.*", re.DOTALL)
_KINDS = f"{EXAMPLE}, {CRON_EXAMPLE}, @daily, every PT90S, at 2030-01-01T06:30"


@lru_cache(maxsize=16_384)
def parse_text(text: str, zone: ZoneInfo | None = None, seed: str = "") -> Schedule:
    """Read a repeating interval, a cron expression, `every` and a duration, or `at` and an instant.

    Raises `BadSchedule`, whose position is the offset of the fault in `text`.
    """
    _check_length(text)
    if found := _ZONED.fullmatch(text):
        raise BadSchedule(f'a time zone has a key of its own: write "timezone": "{found[1]}" beside it')
    if meant := as_duration(text):
        raise BadSchedule(f"{excerpt(text)} is no schedule: write every {meant}")
    if found := _WORD.fullmatch(text):
        parse = parse_every if found[1] == "every" else parse_at
        return parse(found[2], found.start(2), zone)
    if _CRON.match(text):
        return read_cron(text, zone, seed)
    if "/" in text or text.startswith("R"):
        return parse_interval(text, zone)
    raise BadSchedule(f"{excerpt(text)} is no schedule; there are {_KINDS}")


def read_cron(text: str, zone: ZoneInfo | None = None, seed: str = "") -> Cron:
    """Read a cron expression that has a slot some day; raises `BadSchedule`."""
    _check_length(text)
    cron = Cron(parse_cron(text, 0, seed), zone)
    if cron.first_after(_SOME_MOMENT) is None:
        raise BadSchedule("this would never run: no day is all that the fields for days and months ask for")
    return cron


def _check_length(text: str) -> None:
    if len(text) > LENGTH_LIMIT:
        raise BadSchedule(f"a schedule has at most {LENGTH_LIMIT} characters, as in {EXAMPLE}", LENGTH_LIMIT)
