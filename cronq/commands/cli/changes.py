"""What a category document would change in the jobs that are there."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cronq.commands.cli.answers import WHEN_KEYS, Job
from cronq.commands.cli.terminal import harmless
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.rules import rules_as_json
from cronq.domain.schedules import Specification

_KEYS = {**dict.fromkeys(WHEN_KEYS), "command": None, "routing_key": "routing key", "rules": None}

#: A key of a job: what it is now, and what it would be.
Difference = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Changes:
    """The way from the present jobs of a category to those of a document, as the server goes it."""

    category: str
    added: tuple[JobDefinition, ...]
    changed: Mapping[str, Difference]
    removed: tuple[str, ...]
    #: How many stay as they are.
    unchanged: int

    def summary(self) -> str:
        """All of it in one line."""
        kinds = {"added": len(self.added), "changed": len(self.changed), "removed": len(self.removed)}
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        return f"{harmless(self.category)}: {counts}, {self.unchanged} unchanged"

    def details(self) -> Iterator[str]:
        """A line for each job that would not stay as it is, and below it what is new."""
        for job in self.added:
            yield f"  add {harmless(job.name)}"
            yield from (f"    {_title(key)}: {_shown(value)}" for key, value in _wanted(job).items())
        for name, difference in self.changed.items():
            yield f"  change {harmless(name)}"
            for key, (old, new) in difference.items():
                missing = "(not stored)" if key == "schedule" else "(none)"
                yield f"    {_title(key)}: {missing if old is None else _shown(old)}"
                yield f"    {'->':>{len(_title(key)) + 1}} {'(none)' if new is None else _shown(new)}"
        yield from (f"  remove {harmless(name)}" for name in self.removed)

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        changed = {
            name: {key: {"old": old, "new": new} for key, (old, new) in difference.items()}
            for name, difference in self.changed.items()
        }
        return {
            "category": self.category,
            "added": [job.name for job in self.added],
            "changed": changed,
            "removed": list(self.removed),
            "unchanged": self.unchanged,
        }


def compare(present: Iterable[Job], wanted: Category) -> Changes:
    """Find what applying the document would do."""
    left = {job.name: job for job in present}
    pairs = [(left.pop(job.name, None), job) for job in wanted.jobs]
    differences = {new.name: _difference(old, new) for old, new in pairs if old is not None}
    changed = {name: difference for name, difference in differences.items() if difference}
    return Changes(
        wanted.name,
        tuple(new for old, new in pairs if old is None),
        changed,
        tuple(left),
        len(differences) - len(changed),
    )


def _difference(old: Job, new: JobDefinition) -> Difference:
    present = {**old.when, "command": old.command, "routing_key": old.routing_key, "rules": old.rules or None}
    wanted = _wanted(new)
    pairs = {key: (present.get(key), wanted.get(key)) for key in _KEYS}
    if old.rules is None:
        del pairs["rules"]
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _wanted(job: JobDefinition) -> dict[str, Any]:
    when = Specification.decode(job.schedule).as_document() if job.schedule is not None else {}
    rules = rules_as_json(job.rules.encode())
    return {**when, "command": job.command, "routing_key": job.routing_key} | (
        {"rules": rules} if rules else {}
    )


def _title(key: str) -> str:
    return _KEYS[key] or key


def _shown(value: Any) -> str:
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
