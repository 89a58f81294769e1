"""All that a job says of when it runs, and the one text in which that is stored.

Where it is one schedule and nothing else, the text is that of the schedule, as it was in a document of 0.27;
else it is the JSON of the document's keys, with what decides jitter and `H`, and with what it has taken over
from the one before it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from cronq.domain.durations import parse_duration
from cronq.domain.errors import BadSchedule
from cronq.domain.instants import parse_instant
from cronq.domain.schedules.handover import NO_HANDOVER, HandedOver, Handover
from cronq.domain.schedules.interface import TICK, Schedule
from cronq.domain.schedules.jitter import Jittered
from cronq.domain.schedules.text import parse_text
from cronq.domain.schedules.union import Union
from cronq.domain.schedules.windows import Window, Within, windows_without
from cronq.domain.zones import find_zone, instant_of

#: The key of a stored text that says what it has taken over.
HANDOVER = "handover"
LONGEST_JITTER = timedelta(days=1)
_HASHED = re.compile(r"(?:^|[ \t,])H", re.IGNORECASE)
_UTC = timedelta(0)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Specification:
    """When a job runs, as its document says it."""

    #: Texts that `parse_text` accepts; a slot that two of them give is one slot.
    schedules: tuple[str, ...]
    timezone: str | None = None
    #: Dates, or two with a slash between them; no slot lies there.
    exceptions: tuple[str, ...] = ()
    #: No slot lies before that, …
    start: str | None = None
    #: … or after that.
    end: str | None = None
    #: The duration by which a slot is put off at most.
    jitter: str | None = None
    #: Decides what `H` is, and how far each slot is put off.
    seed: str = ""
    #: What it has taken over from the one that it has replaced; no document says it.
    handover: Handover = NO_HANDOVER

    @classmethod
    def of_job(cls, category: str, name: str, job: Mapping[str, Any]) -> "Specification":
        """What a job of a document says that was found right."""
        found = _read(job, "")
        if found.jitter is None and not found.has_hash:
            return found
        return replace(found, seed=seed_of(category, name))

    @classmethod
    def decode(cls, text: str) -> "Specification":
        """Read what `encode` wrote; raises `BadSchedule`."""
        if not text.startswith("{"):
            return cls((text,))
        try:
            stored = json.loads(text)
            found = _read(stored, stored.get("seed", ""))
            if HANDOVER in stored:
                found = replace(found, handover=Handover.decode(stored[HANDOVER]))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise BadSchedule("what is stored as the schedule cannot be read") from error
        if not found.schedules:
            raise BadSchedule("what is stored as the schedule is none")
        return found

    def encode(self) -> str:
        """The text that is stored; it is always written the same."""
        written = self.as_document()
        more: dict[str, Any] = {"seed": self.seed} if self.seed else {}
        if self.handover:
            more[HANDOVER] = self.handover.encode()
        if written == {"schedule": self.schedules[0]} and not more:
            return self.schedules[0]
        return json.dumps(written | more, separators=(",", ":"), sort_keys=True)

    def as_document(self) -> dict[str, Any]:
        """The keys of a document that say the same, without those that are not needed."""
        one = len(self.schedules) == 1
        between = _present({"start": self.start, "end": self.end})
        keys = {
            "schedule": self.schedules[0] if one else list(self.schedules),
            "timezone": self.timezone,
            "except": list(self.exceptions) or None,
            "between": between or None,
            "jitter": self.jitter,
        }
        return _present(keys)

    @property
    def has_hash(self) -> bool:
        """Whether there is an `H` in it."""
        return any(map(_HASHED.search, self.schedules))

    def zone(self) -> ZoneInfo | None:
        """Its time zone, None for UTC; raises `BadSchedule`."""
        return None if self.timezone is None else find_zone(self.timezone)

    def build(self) -> Schedule:
        """The slots; raises `BadSchedule`."""
        zone = self.zone()
        members = list(dict.fromkeys(parse_text(text, zone, self.seed) for text in self.schedules))
        schedule: Schedule = members[0] if len(members) == 1 else Union(members)
        if self.exceptions or self.start or self.end:
            exceptions = [parse_exception(text, zone) for text in self.exceptions]
            windows = windows_without(parse_between(self.start, self.end, zone), exceptions)
            schedule = Within(schedule, windows, self._limits_in_words())
        if self.jitter is not None:
            schedule = Jittered(schedule, parse_jitter(self.jitter), self.seed)
        return HandedOver(schedule, self.handover) if self.handover else schedule

    def faults(self) -> Iterator[tuple[tuple[str | int, ...], BadSchedule]]:
        """Each thing that is wrong with it, and under which key of a document."""
        try:
            zone = self.zone()
        except BadSchedule as error:
            yield ("timezone",), error
            return
        for index, text in enumerate(self.schedules):
            place = ("schedule",) if len(self.schedules) == 1 else ("schedule", index)
            yield from _faults(place, parse_text, text, zone, self.seed)
        for index, text in enumerate(self.exceptions):
            yield from _faults(("except", index), parse_exception, text, zone)
        yield from _faults(
            ("between", "start" if self.end is None else "end"), parse_between, self.start, self.end, zone
        )
        if self.jitter is not None:
            yield from _faults(("jitter",), parse_jitter, self.jitter)

    def _limits_in_words(self) -> str:
        count = len(self.exceptions)
        words = [
            f"from {self.start}" if self.start else "",
            f"until {self.end}" if self.end else "",
            f"except {self.exceptions[0]}" if count else "",
            f"and {count - 1} more" if count > 1 else "",
        ]
        return " ".join(filter(None, words))


@lru_cache(maxsize=16_384)
def parse_schedule(text: str) -> Schedule:
    """The slots of a stored text, or of the text of one schedule; raises `BadSchedule`.

    The position in the error is the offset of the fault in the text of that schedule.
    """
    return Specification.decode(text).build()


def text_of(value: str | Mapping[str, str]) -> str:
    """One schedule of a document as a text: `{"every": "PT90S"}` is `every PT90S`."""
    if isinstance(value, str):
        return value
    [(word, rest)] = value.items()
    return rest if word == "cron" else f"{word} {rest}"


def seed_of(category: str, name: str) -> str:
    """What decides `H` and jitter for a job, as long as it has these names."""
    return sha256(json.dumps([category, name]).encode()).hexdigest()[:16]


def parse_exception(text: str, zone: ZoneInfo | None = None) -> Window:
    """A date, or two dates or times with a slash between them; all of the last day belongs to it.

    Raises `BadSchedule`.
    """
    first, slash, last = text.partition("/")
    position = len(first) + len(slash)
    begin = parse_instant(first, 0, zone or _UTC).moment
    end = _end(last, position, zone) if slash else _end(first, 0, zone)
    if end < begin:
        raise BadSchedule("the end is earlier than the start", position)
    return Window(begin, end)


def parse_between(start: str | None, end: str | None, zone: ZoneInfo | None) -> Window:
    """The window from a date or time to another one, all of which belongs to it. Raises `BadSchedule`."""
    first = datetime.min if start is None else parse_instant(start, 0, zone or _UTC).moment
    last = datetime.max if end is None else _end(end, 0, zone)
    if last < first:
        raise BadSchedule("the end is earlier than the start")
    return Window(first, last)


def parse_jitter(text: str) -> timedelta:
    """A duration of seconds up to a day. Raises `BadSchedule`."""
    duration = parse_duration(text)
    if duration.months or duration.exact > LONGEST_JITTER:
        raise BadSchedule("the longest jitter is a day, P1D")
    return duration.exact


def _end(text: str, position: int, zone: ZoneInfo | None) -> datetime:
    instant = parse_instant(text, position, zone or _UTC)
    if "T" in text:
        return instant.moment
    try:
        following = instant_of(instant.wall + _ONE_DAY, zone) or instant_of(instant.wall + 2 * _ONE_DAY, zone)
    except OverflowError:
        following = None
    return datetime.max if following is None else following - TICK


def _read(keys: Mapping[str, Any], seed: str) -> Specification:
    given, between = keys["schedule"], keys.get("between", {})
    return Specification(
        tuple(map(text_of, given if isinstance(given, list) else [given])),
        keys.get("timezone"),
        tuple(keys.get("except", ())),
        between.get("start"),
        between.get("end"),
        keys.get("jitter"),
        seed,
    )


def _present(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


def _faults(
    place: tuple[str | int, ...], read: Callable[..., object], *arguments: object
) -> Iterator[tuple[tuple[str | int, ...], BadSchedule]]:
    try:
        read(*arguments)
    except BadSchedule as error:
        yield place, error
