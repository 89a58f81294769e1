"""The category document: from what somebody wrote to a `Category`, or to every fault in it with its place.

The rules are one table, `document_rules`, and the walk over it is our own: jsonschema takes six times as
long, 0.3 seconds for 10,000 jobs, before a schedule is read. A property test holds the JSON Schema, which is
made of the same table, to the same verdicts in the same places.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from cronq.domain.document_order import order_faults
from cronq.domain.document_parts import faults_at
from cronq.domain.document_rules import CATEGORY_NAME, DEFAULT_KEYS, JOB_KEYS
from cronq.domain.document_slips import missing_keys, unknown_keys
from cronq.domain.document_values import encoded_size, shown
from cronq.domain.errors import BadDocument, Fault
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.json_places import element, member, path_of
from cronq.domain.json_text import load_json
from cronq.domain.rules import READERS, RULES_LENGTH, read_rules
from cronq.domain.schedule_documents import faults_of
from cronq.domain.schedule_keys import TIME_KEYS
from cronq.domain.schedules import Specification
from cronq.domain.schedules.advice import slips

#: Nobody reads more, and ten megabytes of wrong elements must not become gigabytes of faults.
MOST_FAULTS = 10_000
_REQUIRED_KEYS = ("category", "jobs")
_DOCUMENT_KEYS = ("category", "defaults", "jobs")
_JOB_KEYS, _DEFAULT_KEYS = tuple(JOB_KEYS), tuple(DEFAULT_KEYS)
#: What is in a `JobDefinition` as the document says it.
_PLAIN_KEYS = [key for key in JOB_KEYS if key not in {"schedule", *TIME_KEYS, *READERS}]
#: What each job says for itself.
_OWN_KEYS = tuple(key for key in JOB_KEYS if key not in DEFAULT_KEYS)
_REQUIRED_OF_JOB = [name for name, key in JOB_KEYS.items() if key.required]


@dataclass(frozen=True, slots=True)
class Document:
    """A category document that was accepted."""

    category: Category
    #: What was accepted, but looks like a slip.
    remarks: tuple[Fault, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences, such as `jobs[0].shedule: unknown key, did you mean schedule?`."""
        return tuple(map(str, self.remarks))


def parse_document(data: object, *, name: str | None = None) -> Document:
    """Read a document from a value as `json.loads` returns it; raises `BadDocument` with every fault.

    `name` is the category's name when it is known already: then the document need not say it, and must not
    say another one.
    """
    faults = _listed(_document_faults(data, name))
    return _accept(data, name, faults, _listed(_remarks(data, refused=bool(faults))))


def read_document(text: bytes | str, *, name: str | None = None) -> Document:
    """Read a document from JSON, as `parse_document`; faults and remarks carry their lines.

    What is no JSON of RFC 8259 is a `BadDocument` as well, and so is a key that its object has twice.
    """
    json_text = load_json(text)
    data = json_text.value
    faults = json_text.located(_listed(chain(json_text.repeated_keys(), _document_faults(data, name))))
    return _accept(data, name, faults, json_text.located(_listed(_remarks(data, refused=bool(faults)))))


def _listed(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    found = tuple(islice(faults, MOST_FAULTS + 1))
    if len(found) <= MOST_FAULTS:
        return found
    return (Fault("", f"there are more than {MOST_FAULTS} things to say, here are the first"), *found[:-1])


def _accept(data: Any, name: str | None, faults: tuple[Fault, ...], remarks: tuple[Fault, ...]) -> Document:
    if faults:
        raise BadDocument(faults, remarks)
    defaults = data.get("defaults", {})
    category = data["category"] if name is None else name
    jobs = tuple(_job_definition(category, _inherit(job, defaults)) for job in data["jobs"])
    return Document(Category(category, jobs), remarks)


def _inherit(job: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The job with the defaults for what it does not say itself; of variables, each counts by itself."""
    if not defaults:
        return job
    merged = {key: value for key, value in defaults.items() if key in DEFAULT_KEYS} | job
    if "environment" in defaults and "environment" in job:
        merged["environment"] = defaults["environment"] | job["environment"]
    return merged


def _job_definition(category: str, job: dict[str, Any]) -> JobDefinition:
    own = {key: job[key] for key in _PLAIN_KEYS if key in job}
    timed = "schedule" in job
    schedule = Specification.of_job(category, job["name"], job).encode() if timed else None
    return JobDefinition(schedule=schedule, **own, rules=read_rules(job))


def _document_faults(data: object, name: str | None) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield Fault("", f"expected an object, found {shown(data)}")
        return
    for message in () if name is None else CATEGORY_NAME.faults(name):
        yield Fault("category", message)
    yield from missing_keys(data, "", _REQUIRED_KEYS if name is None else ["jobs"], _DOCUMENT_KEYS)
    for key, value in data.items():
        if key == "category":
            yield from _category_faults(value, name)
        elif key == "defaults":
            yield from _defaults_faults(value)
        elif key == "jobs":
            yield from _jobs_faults(value, data.get("defaults", {}))


def _category_faults(value: object, name: str | None) -> Iterator[Fault]:
    if name is None or not isinstance(value, str):
        for message in CATEGORY_NAME.faults(value):
            yield Fault("category", message)
    elif value != name:
        yield Fault("category", f"{shown(value)} is not the name in the address, which is {shown(name)}")


def _defaults_faults(defaults: object) -> Iterator[Fault]:
    if not isinstance(defaults, dict):
        yield Fault("defaults", f"expected an object, found {shown(defaults)}")
        return
    known = {key: value for key, value in defaults.items() if key in DEFAULT_KEYS}
    found = [
        fault
        for key, value in known.items()
        for fault in faults_at(member("defaults", key), DEFAULT_KEYS[key].rule, value)
    ]
    # Told here, as it would else be told of each job, which does not say it.
    yield from found or _faults_together(known | {"schedule": []}, "defaults")


def _jobs_faults(jobs: object, defaults: Any) -> Iterator[Fault]:
    if not isinstance(jobs, list):
        yield Fault("jobs", f"expected a list, found {shown(jobs)}")
        return
    inherited = {} if any(_defaults_faults(defaults)) else defaults
    owners: dict[str, str] = {}
    for index, job in enumerate(jobs):
        place = element("jobs", index)
        found = list(_job_faults(job, place, owners))
        yield from found or _faults_together(_inherit(job, inherited), place)
    yield from order_faults(jobs)


def _faults_together(job: dict[str, Any], place: str) -> Iterator[Fault]:
    """What is wrong with a job, or with what all of them have, where each part is right."""
    if "schedule" in job:
        yield from faults_of(Specification.of_job("", "", job), path_of(place))
    rules = read_rules(job).encode()
    if rules is not None and (size := encoded_size(rules)) > RULES_LENGTH:
        yield Fault(place, f"its rules have {size} bytes in all, at most {RULES_LENGTH} are allowed")


def _job_faults(job: object, place: str, owners: dict[str, str]) -> Iterator[Fault]:
    """`owners` has the place of the first job of each name that was met before this job."""
    if not isinstance(job, dict):
        yield Fault(place, f"expected an object, found {shown(job)}")
        return
    # What runs after others needs no time of its own.
    required = [key for key in _REQUIRED_OF_JOB if not (key == "schedule" and "after" in job)]
    yield from missing_keys(job, place, required, _JOB_KEYS)
    for key, value in job.items():
        if key in JOB_KEYS:
            yield from faults_at(member(place, key), JOB_KEYS[key].rule, value)
        if key == "name" and isinstance(value, str) and (owner := owners.setdefault(value, place)) != place:
            yield Fault(member(place, key), f"{shown(value)} is the name of {owner} too")


def _remarks(data: Any, *, refused: bool) -> Iterator[Fault]:
    """What looks like a slip; of schedules only when the document is accepted."""
    yield from _unknown_keys(data)
    for index, job in enumerate(() if refused else data["jobs"]):
        if "schedule" not in job:
            continue
        specification = Specification.of_job("", "", _inherit(job, data.get("defaults", {})))
        for number, sentence in slips(specification):
            place = member(element("jobs", index), "schedule")
            yield Fault(element(place, number) if isinstance(job["schedule"], list) else place, sentence)


def _unknown_keys(data: object) -> Iterator[Fault]:
    if not isinstance(data, dict):
        return
    yield from unknown_keys(data, "", _DOCUMENT_KEYS)
    if isinstance(defaults := data.get("defaults"), dict):
        yield from unknown_keys(defaults, "defaults", _DEFAULT_KEYS + _OWN_KEYS)
        for key in _OWN_KEYS:
            if key in defaults:
                yield Fault(member("defaults", key), "each job says its own, so this is for nothing")
    jobs = data.get("jobs")
    for index, job in enumerate(jobs if isinstance(jobs, list) else ()):
        if isinstance(job, dict):
            yield from unknown_keys(job, element("jobs", index), _JOB_KEYS, of_schedule=True)
