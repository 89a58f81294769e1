"""What a person sees of `cronq schedule explain`."""

import json

from tests.commands.cli.case import CliTestCase

DAILY = '{"schedule": ["30 2 * * *", "every PT8H"], "except": ["2026-11-24"], "jitter": "PT1M"}'


class ExplainTests(CliTestCase):
    """It is Monday, 23 November 2026, 07:05:20 UTC; no server is asked."""

    def explain(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        result = self.call("schedule", "explain", *arguments)
        self.assertEqual(self.web.requests, [])
        return result

    def test_slots(self) -> None:
        """The schedule is said in words, and its next slots are told in its zone, in UTC, and in how long."""
        arguments = ["*/5 8-18 * * MON-FRI", "-n", "3", "--timezone", "Europe/Berlin"]
        self.assertEqual(
            self.explain(*arguments),
            (
                0,
                [
                    "Every fifth minute from 08:00 through 18:59 on Monday through Friday (Europe/Berlin)",
                    "",
                    "Europe/Berlin                   UTC                  WHEN",
                    "Mon 2026-11-23 08:10:00 +01:00  2026-11-23 07:10:00  in 4 min",
                    "Mon 2026-11-23 08:15:00 +01:00  2026-11-23 07:15:00  in 9 min",
                    "Mon 2026-11-23 08:20:00 +01:00  2026-11-23 07:20:00  in 14 min",
                ],
                [],
            ),
        )

    def test_in_utc(self) -> None:
        """Without a zone there is one column of times; ten slots, unless somebody wants another number."""
        code, out, _ = self.explain("R/2026-01-01T00:00:00Z/P1D")
        self.assertEqual((code, len(out)), (0, 13))
        self.assertEqual(out[2:4], ["UTC                      WHEN", "Tue 2026-11-24 00:00:00  in 16 h"])

    def test_change_of_clocks(self) -> None:
        """When the clocks change soon, a note says what becomes of the slots."""
        arguments = ["30 2 * * *", "-n", "2", "--timezone", "Europe/Berlin", "--from", "2027-03-27T12:00"]
        _, out, _ = self.explain(*arguments)
        self.assertEqual(out[3].split("  ")[:2], ["Sun 2027-03-28 03:00:00 +02:00", "2027-03-28 01:00:00"])
        self.assertEqual(
            out[-1],
            "note: 2027-03-28 02:00: the clocks of Europe/Berlin go forward to 03:00;"
            " what is for the time between runs right after it, at 03:00",
        )

    def test_day_that_was_skipped(self) -> None:
        """A zone that leaves out a whole day is told as doing so, with the days."""
        arguments = ["0 12 * * *", "-n", "2", "--timezone", "Pacific/Apia", "--from", "2011-12-29T12:00"]
        _, out, _ = self.explain(*arguments)
        self.assertEqual([line[:14] for line in out[3:5]], ["Thu 2011-12-29", "Sat 2011-12-31"])
        said = "note: 2011-12-30 00:00: the clocks of Pacific/Apia go forward to 2011-12-31 00:00;"
        self.assertEqual(out[-1], f"{said} the day between has no slots")

    def test_warnings(self) -> None:
        """What is surely a mistake is said."""
        for text, words in {
            "* * * * *": "every minute, 1,440 times a day",
            "* 3 * * *": "60 times on each of its days; for once write a minute, as in 0 3 * * *",
            "0 0 31 2,3 *": "February never has a day 31",
            "0 0 13 * FRI": "cron takes a day that either of them names",
            "*/90 * * * *": "this is minute 0 only",
            "at 2020-01-01": "there are no more slots",
        }.items():
            code, out, _ = self.explain(text)
            self.assertEqual(code, 0)
            self.assertTrue(out[-1].startswith("warning: ") and words in out[-1], out)
        for text, words in {
            "*/45 * * * *": "the last one is of 15; for even steps write every PT45M",
            "0 0 31 * *": "months without day 31 are left out",
            "0 0 29 2 *": "in leap years only",
        }.items():
            _, out, _ = self.explain(text)
            self.assertTrue(out[-1].startswith("note: ") and words in out[-1], out)

    def test_whole_specification(self) -> None:
        """All keys of a job that say when it runs can be tried out together; jitter is told."""
        code, out, _ = self.explain(DAILY, "--job", "example/backup", "-n", "2")
        self.assertEqual(code, 0)
        self.assertTrue(out[0].endswith("except 2026-11-24, each up to 1 minute later"), out)
        self.assertRegex(out[3], r"^Mon 2026-11-23 08:00:\d\d  in 5[45] min  \d+(\.\d)? m?s$")
        self.assertRegex(out[4], r"^Mon 2026-11-23 16:00:\d\d  in 8 h  ")
        self.assertEqual(self.explain(DAILY, "--job", "example/backup", "-n", "2")[1], out)

    def test_nobody(self) -> None:
        """Without a job H and jitter are those of none: a note says so, and how to see those of a job."""
        own = "follows from the names of category and job, and here from none"
        for text, what in (
            ("H 2 * * *", "what H stands for"),
            ('{"schedule": "@daily", "jitter": "PT1M"}', "how far a slot is put off"),
            (
                '{"schedule": "H 2 * * *", "jitter": "PT1M"}',
                "what H stands for and how far a slot is put off",
            ),
        ):
            code, out, _ = self.explain(text, "-n", "1")
            note = f"note: {what} {own}: --job CATEGORY/NAME shows the slots of a job"
            self.assertEqual((code, out[-1]), (0, note))
            self.assertNotIn(own, str(self.explain(text, "--job", "example/backup")))
        self.assertNotIn(own, str(self.explain("@daily")))

    def test_json(self) -> None:
        """A program gets all of it as one object."""
        _, out, _ = self.explain("0 12 * * *", "-n", "1", "--timezone", "Asia/Tokyo", "--json")
        self.assertEqual(
            json.loads(out[0]),
            {
                "sentence": "at 12:00 every day (Asia/Tokyo)",
                "timezone": "Asia/Tokyo",
                "slots": [
                    {
                        "slot": "2026-11-24T03:00:00",
                        "local": "2026-11-24T12:00:00+09:00",
                        "in": 71680.0,
                        "jitter": 0.0,
                    }
                ],
                "notes": [],
                "warnings": [],
            },
        )

    def test_faults(self) -> None:
        """A fault names the field and the character, and shows where it is."""
        code, out, err = self.explain("0 25 * * *")
        self.assertEqual((code, out), (7, []))
        self.assertEqual(err, ["cronq: hour: 25 is not in 0 to 23 (at character 3)", "  0 25 * * *", "    ^"])
        self.assertEqual(self.explain("0 0 31 2 *")[2][1:], ["  0 0 31 2 *", "      ^"])
        code, _, err = self.explain('{"schedule": ["@daily", "0 25 * * *"], "tz": "UTC"}')
        self.assertEqual((code, len(err)), (7, 2))
        self.assertIn("schedule[1]: hour: 25", err[0])
        self.assertIn('there is no key "tz" here', err[1])

    def test_endless(self) -> None:
        """A text that is far too long is not shown again."""
        code, _, err = self.explain("0 " * 30_000)
        self.assertEqual((code, len(err)), (7, 1))
        self.assertIn("a schedule has at most 255 characters", err[0])

    def test_keys_of_a_schedule_beside_others(self) -> None:
        """Who writes a kind of schedule beside the other keys is told where it belongs."""
        code, _, err = self.explain('{"every": "PT90S", "timezone": "Europe/Berlin"}')
        meant = 'schedule: missing, did you mean "schedule": {"every": "PT90S"}?'
        self.assertEqual((code, err[0]), (7, f"cronq: {meant}"))
        self.assertEqual(self.explain('{"every": "PT90S"}')[0], 0)

    def test_misused(self) -> None:
        """A zone that there is not, a moment that is none, and broken JSON are wrong usage."""
        for arguments in (
            ("@daily", "--timezone", "europe/berlin"),
            ("@daily", "--from", "tomorrow"),
            ("@daily", "-n", "0"),
            ("H 2 * * *", "--job", "backup"),
            ("H 2 * * *", "--job", "example/"),
            ("{",),
            ('{"schedule": "@daily"',),
            (),
        ):
            self.assertEqual(self.explain(*arguments)[0], 2, arguments)

    def test_hostile(self) -> None:
        """Nothing that a terminal would obey comes out of it."""
        for text in ("\x1b[31m * * * *", "0 0 * * \x9b2J", '{"schedule": "\\u001b[2J"}'):
            code, out, err = self.explain(text)
            self.assertEqual((code, out), (7, []))
            self.assertTrue(all(line.isprintable() for line in err), err)
