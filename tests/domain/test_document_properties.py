"""What holds for every document: the parser and the JSON Schema agree, and every fault has its place."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.document_rules import cronq_schema
from cronq.domain.document_values import FORMATS
from cronq.domain.documents import parse_document, read_document
from cronq.domain.errors import BadDocument, BadSchedule, Fault
from cronq.domain.json_places import path_of, place_of
from cronq.domain.schedule_keys import MOST_EXCEPTIONS, MOST_SCHEDULES
from cronq.domain.slot_keys import SLOT_KEYS

CHECKER = FormatChecker(formats=[])


def check_format(name: str) -> None:
    """Teach the checker what one of our formats stands for."""

    @CHECKER.checks(name, raises=BadSchedule)
    def is_written_so(value: object) -> bool:
        if isinstance(value, str):
            FORMATS[name](value)
        return True


for each in FORMATS:
    check_format(each)


SCHEMA = Draft202012Validator(cronq_schema(), format_checker=CHECKER)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3)
    ),
    max_leaves=8,
)
# One byte for each character, as JSON Schema does not count bytes.
TEXTS = ["", "a", "b\n", "x" * 255, "y" * 256, "x" * 65_535, "x" * 65_536, "\0", "a\0\n", "\ud800", "\udfffb"]
SCHEDULES = [
    *("R/2013-05-29T00:00:00/PT1M", "R3/PT8H/2026-01-01", "", "R/P1D", "R/2013-05-29/PT0S", "R\0"),
    *(
        "*/5 8-18 * * MON-FRI",
        "@daily",
        "H/15 * * * *",
        "every PT90S",
        "at 2026-01-01",
        "61 * * * *",
        "every 1h",
    ),
]
DATES = ["2026-12-24", "2026-12-24/2027-01-02T12:00", "24.12.", "2026-12-24/2026-12-23", "2026-12-24/"]
SPANS = ["PT1S", "P1DT12H", "", "1h", "PT0S", "P1M", "P367D", "P2900000D"]
VARIABLES = ["A", "größe", "a b", "", "A=", "\0", "x\ud800", "CRONQ_RUN_ID", "CRONQ_RUN_IDS"]
RIGHT_JOB = {"name": "a", "schedule": SCHEDULES[0], "command": "b"}


def sometimes_wrong(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly these values, and now and then any other."""
    return st.one_of(values, values, values, JSON)


WHEN = st.sampled_from(SCHEDULES) | st.dictionaries(
    st.sampled_from(["every", "at", "cron", "on"]),
    sometimes_wrong(st.sampled_from(["PT90S", "2026-01-01", "@daily", "0 0 31 2 *"])),
    max_size=2,
)

#: Values of which each is right for some key, and wrong for others.
VALUES = [0, 1, 3, 2.5, 1000, -1, True, False, "PT5M", "P1M", "2026-01-01", "fail", "rerun"]
RULES = {
    "timeout": sometimes_wrong(st.sampled_from(SPANS)),
    "success_codes": sometimes_wrong(st.lists(sometimes_wrong(st.sampled_from([0, 255, 3.0])), max_size=3)),
    "environment": sometimes_wrong(
        st.dictionaries(
            st.sampled_from(VARIABLES) | st.text(max_size=2),
            sometimes_wrong(st.sampled_from(["", "a\n", "\0"])),
            max_size=3,
        )
    ),
    "directory": sometimes_wrong(st.sampled_from(["/", "/a b\n", "", "a", "/\0", "/" + "x" * 4095])),
    "user": sometimes_wrong(st.sampled_from(["a", "a:b", "", "a\n", "a:b:c", "\ud800"])),
    "umask": sometimes_wrong(st.sampled_from(["027", "0027", "27", "0o27", "027\n"])),
    "owner": sometimes_wrong(st.sampled_from(TEXTS)),
    "tags": sometimes_wrong(st.lists(sometimes_wrong(st.sampled_from(["a", "", "x" * 65])), max_size=22)),
    "on_lost": sometimes_wrong(st.sampled_from(["fail", "rerun"])),
    **{key: sometimes_wrong(st.sampled_from(VALUES)) for key in SLOT_KEYS},
    "timezone": sometimes_wrong(st.sampled_from(["UTC", "Europe/Berlin", "Berlin", ""])),
    "except": sometimes_wrong(st.lists(sometimes_wrong(st.sampled_from(DATES)), max_size=3)),
    "between": sometimes_wrong(
        st.dictionaries(
            st.sampled_from(["start", "end", "begin"]), sometimes_wrong(st.sampled_from(["2026-01-01", "1"]))
        )
    ),
    "jitter": sometimes_wrong(st.sampled_from(SPANS)),
    "routing_key": sometimes_wrong(st.sampled_from(TEXTS)),
    "shedule": JSON,
}
JOBS = st.fixed_dictionaries(
    {},
    optional={
        "name": sometimes_wrong(st.sampled_from(TEXTS) | st.text(max_size=3)),
        "schedule": sometimes_wrong(WHEN | st.lists(sometimes_wrong(WHEN), max_size=3)),
        "command": sometimes_wrong(st.sampled_from(TEXTS)),
        **RULES,
    },
)
DOCUMENTS = sometimes_wrong(
    st.fixed_dictionaries(
        {"jobs": sometimes_wrong(st.lists(sometimes_wrong(JOBS | st.just(RIGHT_JOB)), max_size=4))},
        optional={
            "category": sometimes_wrong(st.sampled_from(TEXTS)),
            "defaults": sometimes_wrong(st.fixed_dictionaries({}, optional=RULES)),
            "": JSON,
        },
    )
    | JSON
)


def faults_of(data: object) -> tuple[Fault, ...]:
    """What the parser says."""
    try:
        parse_document(data)
    except BadDocument as error:
        return error.faults
    return ()


def places(error: ValidationError) -> set[str]:
    """Where the schema sees this fault; jsonschema leaves a missing key to its object."""
    path = tuple(error.absolute_path)
    if error.validator != "required":
        return {place_of(path)}
    required: Any = error.validator_value
    instance: Any = error.instance
    return {place_of((*path, key)) for key in required if key not in instance}


class SchemaTests(SynchronousTestCase):
    """The JSON Schema for editors and other programs."""

    def test_is_a_schema(self) -> None:
        """It follows the rules of draft 2020-12, and can be written as JSON."""
        Draft202012Validator.check_schema(cronq_schema())
        self.assertEqual(json.loads(json.dumps(cronq_schema())), cronq_schema())

    def test_is_fresh(self) -> None:
        """Whoever changes the schema that he got changes nobody else's."""
        cronq_schema()["properties"]["jobs"]["items"].clear()
        self.assertEqual(cronq_schema()["properties"]["jobs"]["items"]["type"], "object")

    def assertAgrees(self, data: object) -> None:
        found = {fault.place for fault in faults_of(data) if "is the name of" not in fault.message}
        expected = set().union(*map(places, SCHEMA.iter_errors(data)))
        self.assertEqual(found, expected)

    @given(DOCUMENTS)
    def test_agrees_with_the_parser(self, data: object) -> None:
        """Both refuse the same documents at the same places, repeated names aside."""
        self.assertAgrees(data)

    def test_agrees_at_the_limits(self) -> None:
        """Both accept the last text that is right and refuse the first that is wrong, under every key."""
        for text in TEXTS:
            self.assertAgrees({"category": text, "jobs": []})
            for key in ("name", "command", "routing_key"):
                self.assertAgrees({"category": "a", "jobs": [RIGHT_JOB | {key: text}]})
        for number in (0, 1, MOST_SCHEDULES, MOST_SCHEDULES + 1, MOST_EXCEPTIONS, MOST_EXCEPTIONS + 1):
            self.assertAgrees({"category": "a", "jobs": [RIGHT_JOB | {"schedule": number * ["@daily"]}]})
            self.assertAgrees({"category": "a", "jobs": [RIGHT_JOB | {"except": number * ["2026-01-01"]}]})
        for schedule in SCHEDULES:
            self.assertAgrees({"category": "a", "jobs": [RIGHT_JOB | {"schedule": schedule}]})


class ReadingTests(SynchronousTestCase):
    """Reading a text and reading its value."""

    @given(DOCUMENTS, st.sampled_from([None, 0, 2]))
    def test_text_and_value_agree(self, data: object, indent: int | None) -> None:
        """A text has the faults of its value, each with a line, in the order of the lines."""
        text = json.dumps(data, indent=indent)
        try:
            read_document(text)
            read: tuple[Fault, ...] = ()
        except BadDocument as error:
            read = error.faults
        self.assertEqual(
            sorted((fault.place, fault.message) for fault in read),
            sorted((fault.place, fault.message) for fault in faults_of(data)),
        )
        lines = [fault.line or 0 for fault in read]
        self.assertEqual(lines, sorted(lines))
        self.assertTrue(all(1 <= line <= text.count("\n") + 1 for line in lines))

    @given(st.text() | st.binary())
    def test_any_text(self, text: str | bytes) -> None:
        """Whatever is read, the answer is a document or what is wrong with it."""
        error = self.assertRaises(BadDocument, read_document, text)
        self.assertTrue(str(error))


class PlaceTests(SynchronousTestCase):
    """The names of places."""

    @given(st.lists(st.text(max_size=60) | st.integers(min_value=0), max_size=5))
    def test_round_trip(self, path: list[str | int]) -> None:
        """The name of a place leads back to it, whatever its keys are."""
        self.assertEqual(path_of(place_of(tuple(path))), tuple(path))
