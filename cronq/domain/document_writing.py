"""The category document of the jobs that are stored: put in place again, it changes nothing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cronq.domain.document_rules import JOB_KEYS
from cronq.domain.durations import Duration
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import DEFAULT_ROUTING_KEY
from cronq.domain.rules import rules_as_json
from cronq.domain.schedule_keys import TIME_KEYS
from cronq.domain.schedules import Specification

#: What it is and when it runs comes first, then all else as the documentation has it.
_ORDER = {key: place for place, key in enumerate(dict.fromkeys(["name", "schedule", *TIME_KEYS, *JOB_KEYS]))}


@dataclass(frozen=True, slots=True)
class WrittenJob:
    """What is stored of a job that a document says."""

    name: str
    #: As `Specification.encode` wrote it; None: see below, or it runs only after others.
    schedule_text: str | None
    #: The schedule of a job that 0.27 stored: its next slot, and the time between two.
    next_run: datetime | None
    interval: timedelta | None
    command: str
    routing_key: str
    #: As `Rules.encode` wrote them.
    rules: str | None

    def as_document(self) -> dict[str, Any]:
        """Its keys, without those that say what would be the case anyway."""
        said: dict[str, Any] = {"name": self.name, "command": self.command}
        if self.routing_key != DEFAULT_ROUTING_KEY:
            said["routing_key"] = self.routing_key
        said |= self._when() | rules_as_json(self.rules)
        return dict(sorted(said.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER))))

    def _when(self) -> dict[str, Any]:
        if self.schedule_text is not None:
            try:
                return Specification.decode(self.schedule_text).as_document()
            except BadSchedule:  # somebody has written it by hand
                return {"schedule": self.schedule_text}
        if self.next_run is None or not self.interval:
            return {}
        return {"schedule": f"R/{self.next_run.isoformat()}Z/{Duration(0, self.interval)}"}


def write_document(category: str, jobs: Iterable[WrittenJob]) -> str:
    """The document, as JSON for people."""
    return json_for_people({"category": category, "jobs": [job.as_document() for job in jobs]})


def json_for_people(value: object) -> str:
    """A value as JSON in several lines, with letters as letters.

    What a terminal would obey, or nobody could see, is escaped; it means the same.
    """
    lines = json.dumps(value, ensure_ascii=False, indent=2).split("\n")
    return "".join(f"{line if line.isprintable() else _harmless(line)}\n" for line in lines)


def _harmless(line: str) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)
