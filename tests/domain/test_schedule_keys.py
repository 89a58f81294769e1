"""What a document may say of when a job runs, what is stored of it, and where it is said to be wrong."""

import json
from datetime import datetime
from itertools import islice
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.documents import parse_document, read_document
from cronq.domain.errors import BadDocument, BadSchedule
from cronq.domain.schedules import Specification, parse_schedule

JOB = {"name": "a", "schedule": "R/2026-01-01/PT1M", "command": "true"}
BEGIN = datetime(2026, 3, 27, 12)


def stored(category: str = "example", /, **keys: Any) -> str:
    """What is stored as the schedule of a job with these keys."""
    return parse_document({"category": category, "jobs": [JOB | keys]}).category.jobs[0].schedule or ""


class AcceptedTests(SynchronousTestCase):
    """Keys that mean something."""

    def assertSlots(self, text: str, *slots: str) -> None:
        found = islice(parse_schedule(text).slots_between(BEGIN, datetime.max), len(slots))
        self.assertEqual([slot.isoformat(" ", "minutes")[5:] for slot in found], list(slots))

    def test_text_alone(self) -> None:
        """One text is stored as it is, as it was in 0.27; so is an object with a key for its kind."""
        for text in ("R/2026-01-01/PT1M", "30 6 * * *", "@daily", "every PT90S", "at 2026-01-01"):
            self.assertEqual(stored(schedule=text), text)
        self.assertEqual(stored(schedule={"every": "PT90S"}), "every PT90S")
        self.assertEqual(stored(schedule={"at": "2026-01-01"}), "at 2026-01-01")
        self.assertEqual(stored(schedule={"cron": "@daily"}), "@daily")
        self.assertEqual(stored(schedule=["@daily"]), "@daily")

    def test_all_of_them(self) -> None:
        """Several schedules are one, in the zone of the job, with what it leaves out."""
        text = stored(
            schedule=["30 2 * * *", {"every": "PT12H"}, "at 2026-03-29T18:00"],
            timezone="Europe/Berlin",
            **{"except": ["2026-03-30", "2026-03-31T02:00/2026-04-01T12:00"]},
            between={"start": "2026-03-28", "end": "2026-04-02"},
        )
        self.assertSlots(
            text,
            *("03-27 23:00", "03-28 01:30", "03-28 11:00", "03-28 23:00", "03-29 01:00", "03-29 11:00"),
            *("03-29 16:00", "03-30 23:00", "04-01 11:00", "04-01 23:00", "04-02 00:30", "04-02 11:00"),
        )
        self.assertEqual(parse_schedule(text).count_between(BEGIN, datetime(2027, 1, 1)), 12)
        self.assertIn("and every 12 hours; and once at", parse_schedule(text).in_words())

    def test_slots_shared(self) -> None:
        """A slot that two schedules give is one slot."""
        schedule = parse_schedule(stored(schedule=["*/15 * * * *", "*/20 * * * *", "every PT25M"]))
        self.assertEqual(schedule.count_between(datetime(2026, 1, 1), datetime(2026, 1, 1, 1)), 4 + 2 + 2)

    def test_hashed(self) -> None:
        """What H is depends on the names of category and job, and on nothing else."""
        text = stored(schedule="H H * * *")
        self.assertEqual(text, stored(schedule=["H H * * *"], command="false"))
        others = {stored(f"category {n}", schedule="H H * * *") for n in range(20)}
        times = {parse_schedule(each).first_after(BEGIN) for each in others}
        self.assertGreater(len(times), 15)
        for each in others:
            every_quarter = parse_schedule(each.replace("H H", "H/15 *"))
            self.assertEqual(every_quarter.count_between(BEGIN, datetime(2026, 3, 28, 12)), 96)

    def test_inherited(self) -> None:
        """Zone, exceptions, limits and jitter may be said once for all jobs."""
        document = {
            "category": "a",
            "defaults": {"timezone": "Asia/Tokyo", "jitter": "PT30S", "except": ["2026-12-25"]},
            "jobs": [JOB | {"schedule": "0 9 * * *"}, JOB | {"name": "b", "timezone": "UTC"}],
        }
        one, other = (
            Specification.decode(job.schedule or "") for job in parse_document(document).category.jobs
        )
        self.assertEqual((one.timezone, one.jitter), ("Asia/Tokyo", "PT30S"))
        self.assertEqual((other.timezone, other.exceptions), ("UTC", ("2026-12-25",)))

    def test_what_the_document_said(self) -> None:
        """What is stored can be said again in the keys of a document."""
        keys = {"schedule": ["@daily", "every PT90S"], "timezone": "Asia/Tokyo", "jitter": "PT5S"}
        self.assertEqual(Specification.decode(stored(**keys)).as_document(), keys)

    def test_unreadable(self) -> None:
        """What somebody wrote into the database by hand is refused in a sentence."""
        for text in (
            "{",
            "{}",
            "[1]",
            '{"schedule": 1}',
            '{"schedule": []}',
            '{"schedule":"@daily","except":1}',
        ):
            self.assertRaises(BadSchedule, parse_schedule, text)


class RefusedTests(SynchronousTestCase):
    """What is wrong, where, and at which character."""

    def assertFault(self, keys: dict[str, Any], place: str, *words: str) -> None:
        with self.assertRaises(BadDocument) as caught:
            parse_document({"category": "example", "jobs": [JOB | keys]})
        [fault] = caught.exception.faults
        self.assertEqual(fault.place, f"jobs[0].{place}")
        for each in words:
            self.assertIn(each, fault.message)

    def test_cron_fields(self) -> None:
        """A fault in a cron expression names the field, what may be there, and the character."""
        for text, *words in (
            ("61 * * * *", "minute: 61", "0 to 59", "(at character 1)"),
            ("0 24 * * *", "hour: 24", "0 to 23", "(at character 3)"),
            ("0 0 32 * *", "day of the month: 32", "(at character 5)"),
            ("0 0 1 JUNE *", "month: 'JUNE'", "JAN to DEC", "(at character 7)"),
            ("0 0 1 1-13 *", "month: 13", "(at character 9)"),
            ("0 0 * * 1,8", "day of the week: 8", "(at character 11)"),
            ("0 0 * * FRI-MON", "day of the week: the range FRI-MON", "write FRI-SAT,SUN-MON"),
            ("0 0 * *", "day of the week: missing", "five fields", "(at character 8)"),
            ("0 0 0 * * *", "6 fields", "none for seconds", "(at character 11)"),
            ("*/0 * * * *", "minute: a step is at least 1", "(at character 3)"),
            ("0,,5 * * * *", "minute: there is nothing", "(at character 3)"),
            ("0 0 ? * *", "day of the month: cron knows no ?", "(at character 5)"),
            ("H(30-70) * * * *", "minute: H wants a range", "(at character 1)"),
            ("H/70 * * * *", "minute: the step of H", "(at character 1)"),
            ("0 0 31 2 *", "day of the month: this would never run", "(at character 5)"),
            ("0 0 */30 * MON#3", "would never run"),
            ("@reboot", "@daily"),
            ("every 5m", "is not a duration of ISO 8601: write PT5M", "(at character 7)"),
            ("at tomorrow", "not a full date", "(at character 4)"),
            ("0 0 L-3 * *", "day of the month: L stands alone", "write L (at character 5)"),
            ("0 0 LW-1 * *", "day of the month: LW stands alone", "write LW (at character 5)"),
            ("TZ=Europe/Berlin 0 0 * * *", 'has a key of its own: write "timezone": "Europe/Berlin"'),
            ("CRON_TZ=UTC @daily", 'has a key of its own: write "timezone": "UTC"'),
            ("5 minutes", "'5 minutes' is no schedule: write every PT5M"),
            ("PT5M", "'PT5M' is no schedule: write every PT5M"),
            ("whenever", "is no schedule", "every PT90S"),
        ):
            self.assertFault({"schedule": text}, "schedule", *words)

    def test_durations_of_other_programs(self) -> None:
        """What other programs take for a duration is told what it would be here."""
        for text, meant in (
            ("90s", "PT90S"),
            ("90 sec", "PT90S"),
            ("5 minutes", "PT5M"),
            ("15Min", "PT15M"),
            ("2h", "PT2H"),
            ("1 hour", "PT1H"),
            ("2 days", "P2D"),
            ("1w", "P1W"),
        ):
            self.assertFault({"schedule": f"every {text}"}, "schedule", f"write {meant} (at character 7)")
        for text in ("5 months", "5", "1h30m", "five minutes"):
            self.assertFault({"schedule": f"every {text}"}, "schedule", "is not a duration: write P, years")

    def test_places(self) -> None:
        """A fault in a list or an object has its place in it."""
        self.assertFault({"schedule": ["@daily", "61 * * * *"]}, "schedule[1]", "minute")
        self.assertFault({"schedule": {"every": "1h"}}, "schedule.every", "PT1H (at character 1)")
        self.assertFault({"schedule": ["@daily", {"at": "noon"}]}, "schedule[1].at", "not a full date")
        self.assertFault({"schedule": {"each": "PT1M"}}, "schedule", "no key", "every, at, cron")
        self.assertFault({"schedule": {}}, "schedule", "one of the keys every, at, cron")
        self.assertFault({"schedule": []}, "schedule", "must not be empty")
        self.assertFault({"schedule": [["@daily"]]}, "schedule[0]", "found a list")
        self.assertFault({"timezone": "europe/berlin"}, "timezone", "did you mean Europe/Berlin?")
        self.assertFault({"timezone": "Berlin"}, "timezone", "did you mean Europe/Berlin?")
        self.assertFault({"timezone": "CEST"}, "timezone", "such as Europe/Berlin")
        self.assertFault({"except": ["2026-12-24", "25.12.2026"]}, "except[1]", "not a full date")
        self.assertFault({"except": ["2026-12-24/2026-12-23"]}, "except[0]", "earlier", "(at character 12)")
        self.assertFault({"between": {"start": "2026-01-02", "end": "2026-01-01"}}, "between.end", "earlier")
        self.assertFault({"between": {"from": "2026-01-02"}}, "between", "only start, end")
        self.assertFault({"jitter": "PT25H"}, "jitter", "the longest jitter is a day")
        skipped = {"schedule": "at 2011-12-30T09:00", "timezone": "Pacific/Apia"}
        self.assertFault(skipped, "schedule", "skipped that day", "(at character 4)")

    def test_lines(self) -> None:
        """The line is that of the schedule in the list."""
        text = json.dumps({"category": "a", "jobs": [JOB | {"schedule": ["@daily", "0 25 * * *"]}]}, indent=1)
        with self.assertRaises(BadDocument) as caught:
            read_document(text)
        self.assertEqual([fault.line for fault in caught.exception.faults], [8])
