"""What somebody who writes a category document gets: his jobs, or everything that is wrong and where."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.documents import MOST_FAULTS, parse_document, read_document
from cronq.domain.errors import BadDocument, BadSchedule, CronqError, Fault
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.schedules import parse_schedule

EVERY_MINUTE = "R/2013-05-29T00:00:00/PT1M"
WRONG_KINDS: list[tuple[object, str]] = [
    (None, "null"),
    (True, "true"),
    (7, "7"),
    (0.5, "0.5"),
    (float("nan"), "NaN"),
    ([], "a list"),
    ({}, "an object"),
]


def job(**keys: object) -> dict[str, object]:
    """A job that is right, except for the given keys."""
    return {"name": "backup", "schedule": EVERY_MINUTE, "command": "true"} | keys


def document(*jobs: object) -> dict[str, object]:
    """A document of these jobs."""
    return {"category": "example", "jobs": list(jobs)}


def without(data: dict[str, object], key: str) -> dict[str, object]:
    """The same object without a key."""
    return {other: value for other, value in data.items() if other != key}


class DocumentTestCase(SynchronousTestCase):
    """Asks what is wrong with a document."""

    def refusal(self, data: object, name: str | None = None) -> BadDocument:
        error: BadDocument = self.assertRaises(BadDocument, parse_document, data, name=name)
        return error

    def assertFaults(self, data: object, *sentences: str, name: str | None = None) -> None:
        self.assertEqual([str(fault) for fault in self.refusal(data, name).faults], list(sentences))


class AcceptedDocumentTests(DocumentTestCase):
    """Documents without a fault."""

    def test_jobs(self) -> None:
        """A document becomes its category and its jobs, in order; without a routing key, it is default."""
        parsed = parse_document(document(job(), job(name="slow", routing_key="slow", command="sleep 10")))
        self.assertEqual(
            parsed.category,
            Category(
                "example",
                (
                    JobDefinition("backup", EVERY_MINUTE, "true", "default"),
                    JobDefinition("slow", EVERY_MINUTE, "sleep 10", "slow"),
                ),
            ),
        )
        self.assertEqual(parsed.warnings, ())

    def test_no_jobs(self) -> None:
        """An empty list is accepted: the category has no jobs any more."""
        self.assertEqual(parse_document(document()).category, Category("example", ()))

    def test_name_in_address(self) -> None:
        """Whose category is named by the address need not name it in the document."""
        self.assertEqual(parse_document({"jobs": []}, name="a/b").category, Category("a/b", ()))
        self.assertEqual(parse_document(document(), name="example").category, Category("example", ()))

    def test_hostile_names(self) -> None:
        """A name may be any text, since nobody takes it for anything else."""
        names = [
            "../../etc/passwd",
            "<script>alert(1)</script>",
            "'\"; DROP TABLE jobs",
            "🐘" * 255,
            " ",
            "\n",
            "\x7f",
        ]
        parsed = parse_document(document(*(job(name=name) for name in names)))
        self.assertEqual([found.name for found in parsed.category.jobs], names)

    def test_names_are_compared_exactly(self) -> None:
        """Names that differ in case, in spaces or in how an accent is written are different names."""
        names = ["backup", "Backup", "backup ", "caf\u00e9", "cafe\u0301"]
        self.assertEqual(len(parse_document(document(*(job(name=name) for name in names))).category.jobs), 5)

    def test_limits(self) -> None:
        """The longest name, routing key and command are accepted, and the empty command."""
        longest = job(name="n" * 255, routing_key="é" * 127 + "r", command="c" * 65_535)
        self.assertEqual(parse_document(document(longest)).category.jobs[0].routing_key, "é" * 127 + "r")
        self.assertEqual(parse_document(document(job(command=""))).category.jobs[0].command, "")


class FaultTests(DocumentTestCase):
    """What is said about each fault, and where."""

    def test_not_an_object(self) -> None:
        """Anything but an object is no document."""
        for value, name in [*WRONG_KINDS[:-1], ("jobs", '"jobs"')]:
            self.assertFaults(value, f"expected an object, found {name}")

    def test_wrong_kinds(self) -> None:
        """A value of the wrong kind is named at every place."""
        for value, name in WRONG_KINDS:
            expected = f"expected a text, found {name}"
            self.assertFaults(document() | {"category": value}, f"category: {expected}")
            self.assertFaults({"category": value, "jobs": []}, f"category: {expected}", name="example")
            for key in ("name", "command", "routing_key"):
                self.assertFaults(document(job(**{key: value})), f"jobs[0].{key}: {expected}")
            if not isinstance(value, list):
                self.assertFaults(document() | {"jobs": value}, f"jobs: expected a list, found {name}")
            if not isinstance(value, dict):
                self.assertFaults(document(job(), value), f"jobs[1]: expected an object, found {name}")

    def test_missing(self) -> None:
        """Each required key that is missing is named."""
        self.assertFaults({}, "category: missing", "jobs: missing")
        self.assertFaults({}, "jobs: missing", name="example")
        self.assertFaults(
            document({}), "jobs[0].name: missing", "jobs[0].schedule: missing", "jobs[0].command: missing"
        )

    def test_ends_of_time(self) -> None:
        """What is too far off to reckon with is refused where it stands; the last of it is accepted."""
        for key, most, beyond, sentence in (
            ("retry_delay", "P1D", "P1DT1S", "the longest delay is a day, P1D"),
            ("deadline", "P36525D", "P2900000D", "the longest is a hundred years, P36525D"),
            ("timeout", "P36525D", "P36526D", "the longest is a hundred years, P36525D"),
            ("kill_grace", "P36525D", "P36526D", "the longest is a hundred years, P36525D"),
            (
                "paused_until",
                "1970-01-01T00:00:00Z",
                "0001-01-01T00:00:00Z",
                "'0001-01-01T00:00:00Z' is before 1970: leave it out to pause nothing",
            ),
        ):
            parse_document(document(job(**{key: most})))
            self.assertFaults(document(job(**{key: beyond})), f"jobs[0].{key}: {sentence} (at character 1)")
        parse_document(document(job(paused_until="9999-12-31T23:59:59.999999Z")))

    def test_lengths(self) -> None:
        """What is too short or too long is told with its size and the limit."""
        cases: list[tuple[dict[str, object], str]] = [
            ({"name": ""}, "name: must not be empty"),
            ({"name": "n" * 256}, "name: has 256 characters, at most 255 are allowed"),
            ({"command": "c" * 65_536}, "command: has 65536 bytes of UTF-8, at most 65535 are allowed"),
            ({"command": "é" * 32_768}, "command: has 65536 bytes of UTF-8, at most 65535 are allowed"),
            ({"routing_key": ""}, "routing_key: must not be empty"),
            ({"routing_key": "é" * 128}, "routing_key: has 256 bytes of UTF-8, at most 255 are allowed"),
        ]
        for keys, sentence in cases:
            self.assertFaults(document(job(**keys)), f"jobs[0].{sentence}")
        self.assertFaults(document() | {"category": ""}, "category: must not be empty")
        for name in (".", ".."):
            fault = f'category: cannot be "{name}", which in an address means another place'
            self.assertFaults(document() | {"category": name}, fault)
            self.assertFaults({"jobs": []}, fault, name=name)
        self.assertFaults(
            document() | {"category": "c" * 256}, "category: has 256 characters, at most 255 are allowed"
        )

    def test_what_cannot_be_stored(self) -> None:
        """A NUL and half of a surrogate pair are refused in every text, and never repeated raw."""
        for bad, name in (("\0", r'"\u0000"'), ("\ud800", r'"\ud800"'), ("\udfff", r'"\udfff"')):
            sentence = f"{name} at character 3 cannot be stored"
            for key in ("name", "command", "routing_key"):
                self.assertFaults(document(job(**{key: f"ab{bad}"})), f"jobs[0].{key}: {sentence}")
            self.assertFaults(document() | {"category": f"ab{bad}"}, f"category: {sentence}")

    def test_schedule(self) -> None:
        """A wrong schedule is explained by the schedule parser, with the character that is to blame."""
        for text in ("", "daily", "R/2013-05-29T00:00:00/PT0S", "R/2013-05-29T25:00:00/PT1M", "R/\0/\ud800"):
            why = self.assertRaises(BadSchedule, parse_schedule, text)
            sentence = f"jobs[0].schedule: {why} (at character {why.position + 1})"
            self.assertFaults(document(job(schedule=text)), sentence)

    def test_same_name_twice(self) -> None:
        """Each job whose name is taken says by which job."""
        self.assertFaults(
            document(job(), job(name="b"), job(), job(name="b"), job()),
            'jobs[2].name: "backup" is the name of jobs[0] too',
            'jobs[3].name: "b" is the name of jobs[1] too',
            'jobs[4].name: "backup" is the name of jobs[0] too',
        )

    def test_other_name_than_the_address(self) -> None:
        """A document that names another category than the address was sent to the wrong place."""
        self.assertFaults(
            document(), 'category: "example" is not the name in the address, which is "other"', name="other"
        )

    def test_bad_name_in_address(self) -> None:
        """The name in the address follows the rules of the name in the document."""
        for name, sentence in (
            ("", "must not be empty"),
            ("x" * 300, "has 300 characters, at most 255 are allowed"),
            ("\0", r'"\u0000" at character 1 cannot be stored'),
        ):
            self.assertFaults({"jobs": []}, f"category: {sentence}", name=name)

    def test_one_line_each(self) -> None:
        """However long or odd a value is, a sentence about it stays one short printable line."""
        for odd in ("a\nb\x1b[31m", "\u202egpj", "x" * 1_000_000):
            for fault in self.refusal(document(odd, job(name=odd), job(name=odd)), name=odd).faults:
                self.assertTrue(str(fault).isprintable())
                self.assertLess(len(str(fault)), 300)

    def test_all_at_once(self) -> None:
        """Everything that is wrong is told in one answer, in the order of the document."""
        data: Any = {
            "jobs": [
                job(name="", command=1),
                5,
                without(job(routing_key=[], name="b"), "command"),
                job(),
                job(),
            ],
            "category": None,
        }
        sentences = [
            "jobs[0].name: must not be empty",
            "jobs[0].command: expected a text, found 1",
            "jobs[1]: expected an object, found 5",
            "jobs[2].command: missing",
            "jobs[2].routing_key: expected a text, found a list",
            'jobs[4].name: "backup" is the name of jobs[3] too',
            "category: expected a text, found null",
        ]
        self.assertFaults(data, *sentences)
        error = self.refusal(data)
        self.assertIsInstance(error, CronqError)
        self.assertEqual(str(error), "; ".join(sentences))
        self.assertEqual(error.faults[2], Fault("jobs[1]", "expected an object, found 5"))

    def test_more_than_anybody_reads(self) -> None:
        """A document with millions of faults is told the first of them, and that there are more."""
        faults = self.refusal(document(*[7] * (3 * MOST_FAULTS))).faults
        self.assertEqual(str(faults[0]), "there are more than 10000 things to say, here are the first")
        self.assertEqual(faults[-1].place, f"jobs[{MOST_FAULTS - 1}]")


class UnknownKeyTests(DocumentTestCase):
    """Keys that cronq does not know."""

    def test_warnings(self) -> None:
        """An unknown key is accepted and named, with the key that was probably meant."""
        parsed = parse_document(
            document(job(routingkey="slow", Comment="mine", retry=3), job(name="b", cmd="x")) | {"v": 1}
        )
        self.assertEqual(
            parsed.warnings,
            (
                "v: unknown key",
                "jobs[0].routingkey: unknown key, did you mean routing_key?",
                "jobs[0].Comment: unknown key",
                "jobs[0].retry: unknown key, did you mean retries?",
                "jobs[1].cmd: unknown key, did you mean command?",
            ),
        )
        self.assertEqual(parsed.category.jobs[0].routing_key, "default")

    def test_misspelled_required_key(self) -> None:
        """Where a required key is missing and a like one is there, both sentences say so."""
        data = document(without(job(shedule=EVERY_MINUTE), "schedule"))
        self.assertFaults(data, "jobs[0].schedule: missing, did you write it as shedule?")
        self.assertEqual(
            self.refusal(data).warnings, ("jobs[0].shedule: unknown key, did you mean schedule?",)
        )
        self.assertFaults({"category": "a", "Jobs": []}, "jobs: missing, did you write it as Jobs?")

    def test_kinds_of_schedules(self) -> None:
        """`every`, `at` and `cron` belong into the schedule, which is shown."""
        for kind, value, written in (
            ("every", "PT90S", '"PT90S"'),
            ("at", "2026-12-31T18:00", '"2026-12-31T18:00"'),
            ("cron", "* * * * *", '"* * * * *"'),
            ("every", 90, "90"),
        ):
            meant = f'did you mean "schedule": {{"{kind}": {written}}}?'
            data = document(without(job(**{kind: value}), "schedule"))
            self.assertFaults(data, f"jobs[0].schedule: missing, {meant}")
            warning = f"jobs[0].{kind}: unknown key, {meant}"
            self.assertEqual(self.refusal(data).warnings, (warning,))
            self.assertEqual(parse_document(document(job(**{kind: value}))).warnings, (warning,))
        self.assertEqual(
            parse_document(document() | {"defaults": {"every": "PT1H"}}).warnings,
            ("defaults.every: unknown key",),
        )

    def test_odd_keys(self) -> None:
        """An unknown key with odd characters is quoted, a long one is cut."""
        keys = {"": 1, "a.b[0]": 1, "<b>\n": 1, "\ud800": 1, "größe": 1, "k" * 1_000_000: 1}
        self.assertEqual(
            parse_document(document() | keys).warnings,
            (
                '[""]: unknown key',
                '["a.b[0]"]: unknown key',
                r'["<b>\n"]: unknown key',
                r'["\ud800"]: unknown key',
                "größe: unknown key",
                f'["{"k" * 60}..."]: unknown key',
            ),
        )

    def test_contents_do_not_matter(self) -> None:
        """Below an unknown key there is nothing to complain about, however deep it is."""
        deep: object = "\0"
        for _ in range(500):
            deep = [{"name": deep}]
        self.assertEqual(parse_document(document() | {"notes": deep}).warnings, ("notes: unknown key",))


class LinesTests(SynchronousTestCase):
    """What is wrong in a text is told with its line."""

    def faults(self, text: str) -> list[tuple[int | None, str]]:
        error = self.assertRaises(BadDocument, read_document, text)
        return [(fault.line, str(fault)) for fault in error.faults]

    def test_lines(self) -> None:
        """The line is that of the wrong value; a missing key is where its object begins."""
        text = """
            {"jobs": [
                {"name": "a\\n\\n{", "command":
                    7, "schedule": "R/2020-01-01/PT1M"},
                null,
                {"name": "\\"]}\\\\", "command": "true"}
            ],
            "category": ""}"""
        self.assertEqual(
            self.faults(text),
            [
                (4, "jobs[0].command: expected a text, found 7"),
                (5, "jobs[1]: expected an object, found null"),
                (6, "jobs[2].schedule: missing"),
                (8, "category: must not be empty"),
            ],
        )
        self.assertEqual(self.faults(text.replace("\n", "\r\n")), self.faults(text))

    def test_whole_document(self) -> None:
        """What is wrong with the whole is where the whole begins."""
        self.assertEqual(self.faults("\n\n[]"), [(3, "expected an object, found a list")])
        self.assertEqual(self.faults("\n{}"), [(2, "category: missing"), (2, "jobs: missing")])

    def test_repeated_keys(self) -> None:
        """A key that is there twice is a fault in every object, however it is spelled."""
        text = """{"category": "a", "notes": [{"x": {"y": 1, "z": 2, "y": 1}}],
            "jobs": [{"name": "a", "command": "b", "schedule": "R/2020-01-01/PT1M",
                "n\\u0061me": 8}],
            "category": "a"}"""
        self.assertEqual(
            self.faults(text),
            [
                (1, "notes[0].x.y: this key is here twice"),
                (3, "jobs[0].name: this key is here twice"),
                (3, "jobs[0].name: expected a text, found 8"),
                (4, "category: this key is here twice"),
            ],
        )

    def test_warnings(self) -> None:
        """Remarks have their lines, with and without faults beside them."""
        text = '{"category": "a",\n"jobs": [],\n"notes": ""}'
        self.assertEqual(read_document(text).remarks, (Fault("notes", "unknown key", 3),))
        error = self.assertRaises(BadDocument, read_document, text.replace('"a"', "1"))
        self.assertEqual(error.remarks, (Fault("notes", "unknown key", 3),))

    def test_name_in_address(self) -> None:
        """A text that was sent to an address is compared with the name in it."""
        self.assertEqual(read_document('{"jobs": []}', name="a").category, Category("a", ()))
        error = self.assertRaises(BadDocument, read_document, '{"jobs": [],\n"category": "b"}', name="a")
        self.assertEqual(error.faults[0].line, 2)
