"""Reading cron expressions: every fault with its field and its place, and `H` made a number of its own.

cronsim decides what is right; what is wrong with the rest is said here.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from reprlib import repr as excerpt

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

from cronq.domain.errors import BadSchedule

EXAMPLE = "30 6 * * MON-FRI"
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
#: In the field of days: the last day of the month, and the last weekday.
_LAST_DAYS = frozenset({"L", "LW"})
_SOME_MOMENT = datetime(2000, 1, 1)
_FIELD = re.compile(r"[^ \t]+")
_HASHED = re.compile(r"H(?:\((\d{1,2})-(\d{1,2})\))?(?:/(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One of the five fields."""

    name: str
    field: Field
    lowest: int
    highest: int
    #: The highest that `H` chooses: a day that every month has, and Sunday only once.
    highest_hashed: int
    #: What may stand in it, for messages; and where all that begins and ends.
    values: str
    begin: str
    end: str


FIELDS = (
    FieldKind("minute", Field.MINUTE, 0, 59, 59, "0 to 59", "0", "59"),
    FieldKind("hour", Field.HOUR, 0, 23, 23, "0 to 23", "0", "23"),
    FieldKind("day of the month", Field.DAY, 1, 31, 28, "1 to 31, or L for the last one", "1", "31"),
    FieldKind("month", Field.MONTH, 1, 12, 12, "1 to 12, or JAN to DEC", "JAN", "DEC"),
    FieldKind("day of the week", Field.DOW, 0, 7, 6, "0 to 7, or SUN to SAT", "SUN", "SAT"),
)


@dataclass(frozen=True, slots=True)
class CronText:
    """A cron expression that was understood: its five fields, with a number for every `H`."""

    fields: tuple[str, ...]

    @property
    def goes_with_the_clocks(self) -> bool:
        """Whether its slots are not for fixed times of the day (by the rule of Debian's cron)."""
        return self.fields[0].startswith("*") or self.fields[1].startswith("*")

    def seconds_of_day(self) -> tuple[int, ...]:
        """Its times of the day."""
        sim = self.sim()
        return tuple(
            3600 * hour + 60 * minute for hour in sorted(sim.hours) for minute in sorted(sim.minutes)
        )

    def days_of(self, year: int, month: int) -> int:
        """The days of a month that it chooses: bit n is set for day n."""
        sim = self.sim()
        if month not in sim.months:
            return 0
        days = range(1, monthrange(year, month)[1] + 1)
        return sum(1 << day for day in days if sim.match_day(date(year, month, day)))

    def in_words(self) -> str:
        """Its meaning in English, without a zone: "at 09:00 on Monday through Friday"."""
        sentence = re.sub(r"\b([2-5])([123])th\b", _with_ending, self.sim().explain())
        return sentence[0].lower() + sentence[1:]

    def sim(self) -> CronSim:
        """What cronsim makes of it."""
        return _sim(self.fields)


def parse_cron(text: str, position: int = 0, seed: str = "") -> CronText:
    """Read five fields, or a word such as `@daily`; `seed` decides what `H` is.

    `position` is the place of `text` in the whole schedule. Raises `BadSchedule`.
    """
    if text.startswith("@"):
        text = _expand(text, position)
    found = list(_FIELD.finditer(text))
    if len(found) != len(FIELDS):
        raise BadSchedule(*_wrong_count(found, position))
    parsed = CronText(
        tuple(
            ",".join(_terms(kind, match[0], position + match.start(), seed))
            for kind, match in zip(FIELDS, found, strict=True)
        )
    )
    try:
        parsed.sim()
    except CronSimError as error:
        months, days = found[3][0], found[2][0]
        raise BadSchedule(
            f"day of the month: this would never run, as month {months} never has day {days}",
            position + found[2].start(),
        ) from error
    return parsed


@lru_cache(maxsize=4096)
def _sim(fields: tuple[str, ...]) -> CronSim:
    return CronSim(" ".join(fields), _SOME_MOMENT)


def _expand(text: str, position: int) -> str:
    if text.lower() in NICKNAMES:
        return NICKNAMES[text.lower()]
    known = ", ".join(NICKNAMES)
    if text.startswith("@every"):
        raise BadSchedule("write every and an ISO 8601 duration, as in every PT90S", position)
    raise BadSchedule(f"{excerpt(text)} is no word that cronq knows; there are {known}", position)


def _wrong_count(found: list[re.Match[str]], position: int) -> tuple[str, int]:
    count, wanted = len(found), len(FIELDS)
    fields = "minute, hour, day of the month, month, day of the week"
    if count < wanted:
        end = found[-1].end() if found else 0
        return f"{FIELDS[count].name}: missing; a cron expression has five fields: {fields}", position + end
    return (
        f"there are {count} fields, but a cron expression has five: {fields} (and none for seconds or years)",
        position + found[wanted].start(),
    )


def _terms(kind: FieldKind, text: str, position: int, seed: str) -> list[str]:
    terms = []
    for term in text.split(","):
        terms.append(_term(kind, term.upper(), position, seed))
        position += len(term) + 1
    return terms


def _term(kind: FieldKind, term: str, position: int, seed: str) -> str:
    if hashed := _HASHED.fullmatch(term):
        return _choose(kind, hashed, position, seed)
    try:
        kind.field.parse(term)
    except CronSimError as error:
        message, offset = _fault(kind, term)
        raise BadSchedule(f"{kind.name}: {message}", position + offset) from error
    return term


def _choose(kind: FieldKind, hashed: re.Match[str], position: int, seed: str) -> str:
    """The numbers that stand for an `H`; with a step always as many as fit, whatever the seed is."""
    lowest = int(hashed[1] or kind.lowest)
    highest = int(hashed[2] or kind.highest_hashed)
    if not kind.lowest <= lowest <= highest <= kind.highest:
        raise BadSchedule(f"{kind.name}: H wants a range within {kind.values}", position)
    size = highest - lowest + 1
    step = int(hashed[3] or size)
    if not 1 <= step <= size:
        raise BadSchedule(f"{kind.name}: the step of H is 1 to {size} here", position)
    digest = sha256(f"{seed} {kind.name}".encode()).digest()
    first = lowest + int.from_bytes(digest[:8]) % step
    return ",".join(str(first + n * step) for n in range(size // step))


def _fault(kind: FieldKind, term: str) -> tuple[str, int]:
    """What is wrong with a term that cronsim refuses, and where."""
    if not term:
        return "there is nothing before or after the comma", 0
    if "?" in term:
        return "cron knows no ?, write *", term.index("?")
    for number in re.finditer(r"(?<![/#\d])\d+", term):
        if not kind.lowest <= int(number[0][:9]) <= kind.highest:
            return f"{excerpt(number[0])} is not in {kind.values}".replace("'", ""), number.start()
    if step := re.search(r"/0+$", term):
        return "a step is at least 1", step.start() + 1
    if found := re.match(r"([^-/]+)-([^-/]+)", term):
        return _fault_of_range(kind, term, found)
    return (
        f"{excerpt(term)} is not understood: write *, or {kind.values}, or ranges, lists and steps of them",
        0,
    )


def _fault_of_range(kind: FieldKind, term: str, found: re.Match[str]) -> tuple[str, int]:
    if kind.field is Field.DAY and found[1] in _LAST_DAYS:
        return f"{found[1]} stands alone, and no days are counted back from it: write {found[1]}", 0
    for end in (1, 2):
        try:
            kind.field.int(found[end])
        except CronSimError:
            return f"{excerpt(found[end])} is not in {kind.values}", found.start(end)
    wrapped = [(found[1], kind.end), (kind.begin, found[2])]
    ranges = ",".join(begin if begin == end else f"{begin}-{end}" for begin, end in wrapped)
    return f"the range {found[0]} ends before it begins: write {ranges}", 0


def _with_ending(number: re.Match[str]) -> str:
    return number[1] + number[2] + {"1": "st", "2": "nd", "3": "rd"}[number[2]]
