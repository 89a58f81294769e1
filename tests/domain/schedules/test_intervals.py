"""What a schedule text means, slot by slot, and what the owner of a text that means nothing is told."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import islice

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadSchedule
from cronq.domain.schedules import RepeatingInterval, fixed_interval
from cronq.domain.schedules.text import LENGTH_LIMIT, parse_text

FIRST_MOMENT = datetime.min
LAST_MOMENT = datetime.max
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def parse_schedule(text: str) -> RepeatingInterval:
    """The interval that the text stands for, in UTC."""
    schedule = parse_text(text, None)
    assert isinstance(schedule, RepeatingInterval)
    return schedule


def first_slots(text: str, count: int) -> list[str]:
    """The first slots of a schedule, in ISO 8601."""
    slots = parse_schedule(text).slots_between(FIRST_MOMENT, LAST_MOMENT)
    return [slot.isoformat() for slot in islice(slots, count)]


class AcceptedTextTests(SynchronousTestCase):
    """Texts that mean something: the first slot, the months and the exact part of a step, the repetitions."""

    def assertStarts(self, start: str, texts: Iterable[str]) -> None:
        for text in texts:
            self.assertEqual(parse_schedule(text).start, datetime.fromisoformat(start), text)

    def assertSteps(self, months: int, exact: timedelta, durations: Iterable[str]) -> None:
        for duration in durations:
            schedule = parse_schedule(f"R/2013-05-29/{duration}")
            self.assertEqual((schedule.months, schedule.exact), (months, exact), duration)

    def test_example_of_the_manual(self) -> None:
        """The first schedule that a newcomer copies runs every minute from its start on."""
        schedule = parse_schedule("R/2013-05-29T00:00:00/PT1M")
        self.assertEqual(
            schedule, RepeatingInterval(datetime(2013, 5, 29), months=0, exact=timedelta(minutes=1))
        )

    def test_forms_of_a_start(self) -> None:
        """A start in any complete ISO 8601 format is the same moment."""
        dates = ["2013-05-29", "20130529", "2013-149", "2013149", "2013-W22-3", "2013W223"]
        times = ["", "T00", "T00:00", "T0000", "T00:00:00", "T000000", "T00:00:00.000", "T00:00:00,000000"]
        self.assertStarts("2013-05-29", [f"R/{day}{time}/PT1M" for day in dates for time in times])

    def test_every_day_in_every_form(self) -> None:
        """Calendar, week and ordinal dates agree on all days around eight turns of the year."""
        for year in range(2012, 2020):
            for day in (date(year, 12, 20) + timedelta(days=n) for n in range(24)):
                self.assertStarts(
                    str(day),
                    (f"R/{text}/P1D" for text in (f"{day:%G-W%V-%u}", f"{day:%Y-%j}", f"{day:%GW%V%u}")),
                )

    def test_offsets(self) -> None:
        """A start with Z or with an offset is converted to UTC; one with neither is UTC."""
        self.assertStarts(
            "2013-05-28T22:30",
            [
                f"R/{text}/PT1M"
                for text in (
                    "2013-05-28T22:30",
                    "2013-05-28T22:30Z",
                    "2013-05-29T00:30+02",
                    "2013-05-29T00:30+0200",
                    "20130529T003000+02:00",
                    "2013-05-28T19:00:00-03:30",
                    "2013-05-28T22:30:00-00:00",
                )
            ],
        )

    def test_end_of_the_day(self) -> None:
        """24:00 is the first moment of the next day, as ISO 8601 has it."""
        self.assertStarts(
            "2013-06-01", ["R/2013-05-31T24:00/P1D", "R/2013-05-31T24/P1D", "R/20130531T240000.0Z/P1D"]
        )

    def test_microseconds(self) -> None:
        """A start and a step may be as fine as a microsecond."""
        schedule = parse_schedule("R/2013-05-29T00:00:00.000001/PT1.5S")
        self.assertEqual(schedule.slot(1), datetime(2013, 5, 29, 0, 0, 1, 500_001))
        self.assertSteps(0, timedelta(seconds=999_999_999, microseconds=999_999), ["PT999999999.999999S"])

    def test_durations(self) -> None:
        """Months and years are calendar steps; everything else has an exact length."""
        self.assertSteps(0, timedelta(seconds=1), ["PT1S", "PT001S", "PT1.0S", "P0Y0M0DT0H0M1S"])
        self.assertSteps(0, timedelta(minutes=1), ["PT1M", "PT60S", "P0DT1M"])
        self.assertSteps(0, timedelta(days=14), ["P2W", "P14D", "PT336H"])
        self.assertSteps(0, timedelta(seconds=1, milliseconds=250), ["PT1.25S", "PT1,25S"])
        self.assertSteps(1, timedelta(0), ["P1M", "P0Y1M"])
        self.assertSteps(14, timedelta(0), ["P14M", "P1Y2M"])
        self.assertSteps(1, timedelta(days=2, hours=3), ["P1M2DT3H", "P1MT51H"])
        self.assertSteps(96_000, timedelta(0), ["P8000Y"])

    def test_start_and_end(self) -> None:
        """R/start/end repeats the exact time between the two."""
        self.assertEqual(
            parse_schedule("R/2013-01-31/2013-02-28"), parse_schedule("R/2013-01-31T00:00:00Z/P28D")
        )
        self.assertEqual(
            parse_schedule("R7/2013-05-29T12:00/2013-05-29T12:30+00:00"),
            parse_schedule("R7/2013-05-29T12:00/PT30M"),
        )

    def test_end_takes_over_the_offset_of_its_start(self) -> None:
        """A start with an offset and an end without one are told by the same clock."""
        text = "R/2013-05-29T02:00+02:00/2013-05-29T03:00"
        self.assertEqual(str(parse_schedule(text)), "R/2013-05-29T00:00:00Z/PT1H")
        self.assertEqual(str(parse_schedule(text + "Z")), "R/2013-05-29T00:00:00Z/PT3H")

    def test_duration_and_end(self) -> None:
        """R/duration/end starts one duration before the end, so that the second slot is the end."""
        for duration in ("PT90S", "P1D", "P2W", "P1M", "P1Y", "P1M2DT3H"):
            schedule = parse_schedule(f"R3/{duration}/2013-05-20T12:00:00")
            self.assertEqual(schedule.slot(1), datetime(2013, 5, 20, 12), duration)
            self.assertEqual(schedule.repetitions, 3, duration)

    def test_duration_and_the_end_of_a_month(self) -> None:
        """One month before 31 March is the last day of February."""
        self.assertEqual(first_slots("R/P1M/2013-03-31", 2), ["2013-02-28T00:00:00", "2013-03-28T00:00:00"])

    def test_documents_of_0_27(self) -> None:
        """What 0.27 and its validator took is taken now, with or without seconds."""
        for time in ("T06:30", "T06:30:00"):
            for duration in ("PT5S", "PT90M", "P1D", "P1DT12H", "P1M", "P1Y", "P2Y3M4DT5H6M7S", "P1W"):
                self.assertStarts("2013-05-29T06:30", [f"R/2013-05-29{time}/{duration}"])


class RefusedTextTests(SynchronousTestCase):
    """Texts that mean nothing: where the fault is and what the owner is told."""

    def assertRefused(self, text: str, position: int, words: str) -> None:
        error = self.assertRaises(BadSchedule, parse_schedule, text)
        self.assertEqual((words in str(error), error.position), (True, position), f"{text!r}: {error}")

    def assertDurationsRefused(self, faults: dict[str, tuple[int, str]]) -> None:
        for duration, (position, words) in faults.items():
            self.assertRefused(f"R/2013-05-29/{duration}", 13 + position, words)
            self.assertRefused(f"R9/{duration}/2013-05-29", 3 + position, words)

    def test_repetitions(self) -> None:
        """What does not begin with R, or asks for no runs or for fewer than none, is told how to begin."""
        for head in ("", "r", "R-1", "R+1", "R 1", "R1.5", "R\u0663", "R1234567890", "RR", "*", "2013-05-29"):
            self.assertRefused(f"{head}/2013-05-29/P1D", 0, "begin with R for ever, or with R1")
        for head in ("R0", "R00"):
            self.assertRefused(f"{head}/2013-05-29/P1D", 1, "would never run: write R1")

    def test_number_of_parts(self) -> None:
        """Too few parts are missed at the end of the text, too many at the first that is too much."""
        for text, position in (("R", 1), ("R/", 2), ("R/2013-05-29", 12), ("R/2013-05-29/P1D/P1D", 16)):
            self.assertRefused(text, position, "three parts with a slash between them")

    def test_unlike_a_date(self) -> None:
        """What is no complete date of ASCII digits is told what a date and a duration look like."""
        for text in (
            *("", " ", "now", "1D", "13-05-29", "2013", "2013-05", "201305", "2013-W22", "2013-5-29"),
            *("2013-W22-8", "+2013-05-29", "2013-05-29Z"),
            *("\u0662\u0660\u0661\u0663-05-29", "2013-05-29\n"),
        ):
            self.assertRefused(f"R/{text}/P1D", 2, "neither a full date")
            self.assertRefused(f"R/2013-05-29/{text}", 13, "neither a full date")

    def test_without_a_t(self) -> None:
        """A date and a time with something else between them are told what should be there."""
        for text in ("2013-05-29 00:00", "2013-05-29t00:00", "20130529 0000"):
            self.assertRefused(f"R/{text}/P1D", 2, "wants a T between date and time")

    def test_days_that_do_not_exist(self) -> None:
        """A day that the calendar does not have is refused, not moved into the next month or year."""
        for text in (
            *("2013-13-01", "2013-00-10", "20131301"),
            *("2013-02-29", "20130230", "2013-04-31", "2013-05-00", "0000-01-01", "0000-001"),
            *("2013-000", "2013-366", "2012-367", "2013-W00-1", "2013-W53-1", "2020-W54-1", "9999-W52-6"),
        ):
            self.assertRefused(f"R/{text}T00:00/P1D", 2, "not in the calendar")

    def test_unlike_a_time(self) -> None:
        """A time in no format of ISO 8601, or finer than a microsecond, is told what to write."""
        for text in (
            *("", "0", "6:30", "06:3", "063", "06:30:", "06:30:0", "06.5", "06:30.5", "06:30:00.", "T06:30"),
            *("06:30:00.1234567", "06:30z", "06:30 Z", "06:30+2", "06:30+24:00", "06:30+02:60", "06:30UTC"),
            *("06:30+02:00:00", "06:30-", "06:30[", "\u0660\u0666:30", "06:30\n"),
        ):
            self.assertRefused(f"R/2013-05-29T{text}/P1D", 13, "is not a time: write 06:30")

    def test_times_that_do_not_exist(self) -> None:
        """A time that no clock shows is refused, and so is a leap second."""
        for text in ("25:00", "00:60", "00:00:60", "99:99:99", "24:60"):
            self.assertRefused(f"R/2013-05-29T{text}Z/P1D", 13, "is not a time of day")
        for text in ("24:01", "24:00:00.000001", "240001"):
            self.assertRefused(f"R/2013-05-29T{text}/P1D", 13, "past 24:00, where a day ends")

    def test_outside_the_years(self) -> None:
        """A moment that is before year 1 or after year 9999 in UTC is refused, whoever's clock shows it."""
        for text in ("0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01", "9999-12-31T24:00"):
            self.assertRefused(f"R/{text}/P1D", 2, "outside the years 1 to 9999")
        for duration in ("P20Y", "P240M", "P4000D", "P19Y365D"):
            self.assertRefused(f"R/{duration}/0010-01-01", 2, "before the year 1")

    def test_two_durations(self) -> None:
        """Without a date there is nothing to count from."""
        self.assertRefused("R/P1D/PT1M", 6, "one duration")

    def test_end_before_start(self) -> None:
        """An end that is not later than the start is refused at the end's place."""
        self.assertRefused("R/2013-05-29/2013-05-28", 13, "later than the start")
        self.assertRefused("R/2013-05-29/20130529T0000", 13, "later than the start")
        self.assertRefused("R/2013-05-29/2013-05-29T00:00:00.5", 13, "shortest duration is one second")
        self.assertRefused("R/0001-01-01/9999-01-01", 13, "longest duration is 8000 years")

    def test_signs(self) -> None:
        """Time does not run backwards."""
        faults = {"-P1D": 0, "+P1D": 0, "P-1D": 1, "PT-5M": 2, "-PT0S": 0}
        self.assertDurationsRefused({text: (place, "has no sign") for text, place in faults.items()})

    def test_too_short(self) -> None:
        """Nothing runs more often than once a second."""
        durations = ("PT0S", "P0D", "P0W", "P0Y0M0DT0H0M0S", "PT0.999999S", "PT0,5S")
        self.assertDurationsRefused(dict.fromkeys(durations, (0, "shortest duration is one second")))

    def test_too_long(self) -> None:
        """A duration beyond all calendars is refused, however large its numbers."""
        durations = ("P8001Y", "P96001M", "P999999999Y", "P999999999W", "P999999999D", "P8000YT1S")
        self.assertDurationsRefused(dict.fromkeys(durations, (0, "longest duration is 8000 years")))

    def test_empty_durations(self) -> None:
        """P and T promise something after them."""
        self.assertDurationsRefused({"P": (1, "P needs a number"), "PT": (2, "T needs hours")})
        self.assertDurationsRefused({"P1DT": (4, "T needs hours"), "P1Y2M3DT": (8, "T needs hours")})

    def test_lower_case(self) -> None:
        """A duration in lower case is told that it is upper case, not that it is nonsense."""
        self.assertDurationsRefused(
            {"p1d": (0, "upper case"), "P1d": (2, "upper case"), "Pt5M": (1, "upper case")}
        )

    def test_fractions(self) -> None:
        """Only seconds may have a fraction, down to the microsecond."""
        self.assertDurationsRefused(
            {"PT0.5H": (2, "PT30M"), "P1.5M": (1, "only seconds"), "P1DT1,5M": (4, "only")}
        )
        self.assertDurationsRefused(
            {"PT1.0000001S": (4, "at most six digits"), "PT1.S": (2, "write P, years")}
        )

    def test_units(self) -> None:
        """Each unit has its place; the fault is where the text leaves the right order."""
        for duration, fault in {
            "P5H": (1, "after a T"),
            "P1D5S": (1, "after a T"),
            "P1W2D": (3, "weeks stand alone"),
            "P1D2W": (3, "weeks stand alone"),
            "P1D1M": (3, "write P, years"),
            "P1M5M": (3, "write P, years"),
            "PT5M1H": (4, "write P, years"),
            "P1": (1, "write P, years"),
            "PD": (1, "write P, years"),
            "P1X": (1, "write P, years"),
            "P1D ": (3, "write P, years"),
            "P1D\n": (3, "write P, years"),
            "P\u0663D": (1, "write P, years"),
            "P0003-06-04T12:30:05": (1, "write P, years"),
            "P1234567890D": (1, "at most nine digits"),
        }.items():
            self.assertDurationsRefused({duration: fault})

    def test_very_long_texts(self) -> None:
        """A text of megabytes is refused at once, whatever it is made of."""
        for text in (
            "R" * 10**6,
            "R" + "9" * 10**6 + "/2013-05-29/P1D",
            "R/2013-05-29/P" + "1" * 10**6 + "D",
            "/" * 10**6,
        ):
            self.assertRefused(text, LENGTH_LIMIT, "at most 255 characters")


class SlotTests(SynchronousTestCase):
    """When a job of a given schedule runs."""

    def test_first_slot_is_the_start(self) -> None:
        """A job runs at its start and then once every step."""
        self.assertEqual(
            first_slots("R/2026-01-01T06:30/P1D", 3),
            ["2026-01-01T06:30:00", "2026-01-02T06:30:00", "2026-01-03T06:30:00"],
        )

    def test_repetitions(self) -> None:
        """R3 is three slots: before them the first is next, after them nothing is."""
        schedule = parse_schedule("R3/2026-01-01/P1D")
        third = datetime(2026, 1, 3)
        self.assertEqual([schedule.slot(n) for n in (-1, 2, 3, 10**30)], [None, third, None, None])
        self.assertEqual(schedule.first_after(third - TICK), third)
        self.assertIsNone(schedule.first_after(third))
        self.assertEqual(schedule.last_until(LAST_MOMENT), third)
        self.assertEqual(schedule.count_between(FIRST_MOMENT, LAST_MOMENT), 3)

    def test_one_repetition(self) -> None:
        """R1 runs once, at its start."""
        self.assertEqual(first_slots("R1/2026-01-01/PT1S", 5), ["2026-01-01T00:00:00"])

    def test_last_day_of_the_month(self) -> None:
        """A monthly job of the 31st runs on the last day of each month and comes back to the 31st."""
        self.assertEqual(
            [slot[:10] for slot in first_slots("R/2026-01-31/P1M", 6)],
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"],
        )

    def test_leap_day(self) -> None:
        """A yearly job of 29 February runs on the 28th in common years and on the 29th in leap years."""
        self.assertEqual(
            [slot[:10] for slot in first_slots("R/2024-02-29/P1Y", 5)],
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        )

    def test_months_and_days(self) -> None:
        """Slot n is n months and then n times the rest after the start, not after the slot before."""
        self.assertEqual(
            first_slots("R/2026-01-31/P1M2DT3H", 4),
            ["2026-01-31T00:00:00", "2026-03-02T03:00:00", "2026-04-04T06:00:00", "2026-05-06T09:00:00"],
        )

    def test_end_of_time(self) -> None:
        """A schedule ends with the year 9999, whatever its step."""
        for duration, last in (("PT1H", "9999-12-31T23:00"), ("P1M", "9999-12-31"), ("P7000Y", "9026-01-31")):
            schedule = parse_schedule(f"R/2026-01-31/{duration}")
            self.assertEqual(schedule.last_until(LAST_MOMENT), datetime.fromisoformat(last), duration)
            self.assertIsNone(schedule.first_after(LAST_MOMENT), duration)
            self.assertIsNone(schedule.slot(10**30), duration)

    def test_interval(self) -> None:
        """The interval is the exact step, or the length of the first calendar step, as 0.27 stored it."""
        for text, days in (("R/2026-02-01/P1M", 28), ("R1/2024-02-29/P1Y", 365), ("R/2026-01-01/P2W", 14)):
            self.assertEqual(parse_schedule(text).interval, timedelta(days=days), text)
        self.assertEqual(parse_schedule("R/2026-01-01/P8000Y").interval, timedelta(days=8000 * 365.2425))

    def test_lazy_slots(self) -> None:
        """The slots of ten thousand years can be begun without being made."""
        slots = parse_schedule("R/0001-01-01/PT1S").slots_between(datetime(5000, 1, 1), LAST_MOMENT)
        self.assertEqual(list(islice(slots, 1)), [datetime(5000, 1, 1, 0, 0, 1)])

    def test_fixed_interval(self) -> None:
        """A job of which 0.27 stored only the next run and the interval goes on from there."""
        schedule = fixed_interval(datetime(2026, 11, 23, 7, 5, 20), timedelta(seconds=5))
        self.assertEqual(
            schedule.first_after(datetime(2026, 11, 23, 9, 0, 1)), datetime(2026, 11, 23, 9, 0, 5)
        )
        self.assertEqual(str(schedule), "R/2026-11-23T07:05:20Z/PT5S")

    def test_impossible_values(self) -> None:
        """A stored interval that is no interval is refused instead of running for ever at once."""
        start = datetime(2026, 1, 1)
        attempts: list[Callable[[], object]] = [
            lambda: fixed_interval(start, timedelta(0)),
            lambda: fixed_interval(start, -DAY),
            lambda: fixed_interval(start, timedelta(seconds=1) - TICK),
            lambda: fixed_interval(start, timedelta.max),
            lambda: RepeatingInterval(start, 10**12, timedelta(0)),
            lambda: RepeatingInterval(start, -1, 60 * DAY),
            lambda: RepeatingInterval(start, 1, -DAY),
            lambda: RepeatingInterval(start, 0, DAY, 0),
        ]
        for attempt in attempts:
            self.assertRaises(BadSchedule, attempt)


class FaultsOf027Tests(SynchronousTestCase):
    """Faults of cronq 0.27 in its schedules, which must not come back."""

    now = datetime(2026, 11, 23, 9, 0)

    def test_start_far_ahead(self) -> None:
        """A job that starts in more than one interval does not run before its start."""
        schedule = parse_schedule("R/2026-11-23T11:30:00/PT1H")
        self.assertEqual(schedule.first_after(self.now), self.now + 2.5 * HOUR)
        self.assertIsNone(schedule.last_until(self.now))
        self.assertEqual(schedule.count_between(FIRST_MOMENT, self.now), 0)

    def test_start_close_ahead(self) -> None:
        """A job that starts in less than one interval runs at its start, not one interval later."""
        schedule = parse_schedule("R/2026-11-23T09:30:00/PT1H")
        self.assertEqual(schedule.first_after(self.now), self.now + 0.5 * HOUR)

    def test_start_now(self) -> None:
        """A slot that is due exactly now is the latest one, and the next is a step away."""
        schedule = parse_schedule("R/2026-11-23T09:00:00/PT1H")
        self.assertEqual(schedule.last_until(self.now), self.now)
        self.assertEqual(schedule.first_after(self.now), self.now + HOUR)

    def test_month_is_not_thirty_days(self) -> None:
        """A monthly job stays on its day for years instead of drifting by the length of one month."""
        schedule = parse_schedule("R/2013-02-01T02:00:00/P1M")
        self.assertEqual(schedule.first_after(self.now), datetime(2026, 12, 1, 2))

    def test_repetitions_are_counted(self) -> None:
        """R2 ends after two runs; 0.27 went on for ever."""
        self.assertIsNone(parse_schedule("R2/2026-11-23T07:00/PT1H").first_after(self.now))


class DescriptionTests(SynchronousTestCase):
    """How a page says a schedule in English."""

    def assertDescribed(self, descriptions: dict[str, str]) -> None:
        for text, words in descriptions.items():
            self.assertEqual(parse_schedule(text).in_words(), words, text)

    def test_exact_steps(self) -> None:
        """A step is told in the largest unit that fits it, from a day on with the time of day."""
        self.assertDescribed(
            {
                "R/2026-01-01/PT1M": "every minute",
                "R/2026-01-01/PT90S": "every 90 seconds",
                "R/2026-01-01/PT1.5S": "every 1.5 seconds",
                "R/2026-01-01/PT1H30M": "every 90 minutes",
                "R/2026-01-01T06:30/P1D": "every day at 06:30 UTC",
                "R/2026-01-01T06:30:15/PT72H": "every 3 days at 06:30:15 UTC",
                "R/2026-01-05T10:00+02:00/P14D": "every 2 weeks on Monday at 08:00 UTC",
                "R/2026-01-04/P1W": "every week on Sunday at 00:00 UTC",
            }
        )

    def test_calendar_steps(self) -> None:
        """A calendar step is told with its day, and with what happens where that day is missing."""
        self.assertDescribed(
            {
                "R/2026-01-31/P1M": "every month on day 31 (or its last day) at 00:00 UTC",
                "R/2026-01-28T12:00/P3M": "every 3 months on day 28 at 12:00 UTC",
                "R/2026-01-31/P12M": "every year on 31 January at 00:00 UTC",
                "R/2024-02-29/P2Y": "every 2 years on 29 February (28 in common years) at 00:00 UTC",
                "R/2026-01-31/P1M2DT3H": "every month plus 51 hours from 2026-01-31 at 00:00 UTC",
                "R/2026-01-31/P1M1D": "every month plus 1 day from 2026-01-31 at 00:00 UTC",
            }
        )

    def test_repetitions(self) -> None:
        """A schedule that ends says after how many runs."""
        self.assertDescribed(
            {
                "R1/2026-01-01/P1D": "once at 2026-01-01 00:00 UTC",
                "R1/2026-01-01T00:00:00.5/P1D": "once at 2026-01-01 00:00:00.500000 UTC",
                "R5/2026-01-01/PT1H": "every hour, 5 times",
                "R2/2026-01-31/P1M": "every month on day 31 (or its last day) at 00:00 UTC, 2 times",
            }
        )
