"""The runs of one job, searched and paged, on any database."""

from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import insert

from cronq.database.reading import loose_ends, run_windows
from cronq.database.reading.cursors import LATEST, Cursor, Place
from cronq.database.reading.job_runs import JobRuns, JobRunSearch, read_job_runs
from cronq.database.tables import events, jobs, runs
from cronq.domain.runs import Cause, Status
from tests.database.store import START, StoreCase, at, job

MINUTE = timedelta(minutes=1)
TODAY = START.date()
TOMORROW = TODAY + timedelta(days=1)
BEGIN = Place()
FAILED, GOOD = Status.FAILED, Status.SUCCEEDED


class SearchCase(StoreCase):
    """Two jobs; the first is looked at, and is told by the numbers of its runs."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a"), job("b"))
        self.job_id, self.other = (int(row["id"]) for row in self.rows(jobs))
        self.made = 0

    def add(self, status: Status = GOOD, slot: datetime | None = None, job_id: int = 0, **rest: Any) -> int:
        """One more run; gives its number, which is its id."""
        self.made += 1
        row = {
            "id": self.made,
            "run_id": f"{self.made:032x}",
            "job_id": job_id or self.job_id,
            "status": status.value,
            "slot": slot,
            "queued_at": rest.pop("queued_at", slot or self.now),
        }
        self.execute(insert(runs).values(row | rest))
        return self.made

    def add_many(self, count: int, status: Status = GOOD, first: datetime = START, job_id: int = 0) -> None:
        """So many, each a minute after the one before it."""
        for number in range(count):
            self.add(status, first + number * MINUTE, job_id)

    def look(
        self,
        place: Place = BEGIN,
        limit: int = 4,
        **search: Any,
    ) -> JobRuns:
        return self.read(read_job_runs, self.job_id, JobRunSearch(**search), place, limit)

    def ids(self, found: JobRuns) -> list[int | None]:
        return [run.id for run in found.runs]

    def walk(self, limit: int = 4, **search: Any) -> list[list[int | None]]:
        """All pages to the end; going back, page by page, shows the same."""
        pages, places = [self.look(Place(), limit, **search)], [Place()]
        while (older := pages[-1].older) is not None:
            places.append(Place(older))
            pages.append(self.look(places[-1], limit, **search))
        there = [self.ids(page) for page in pages]
        back = [there[-1]]
        page = pages[-1]
        while page.newer is not None and page.newer != LATEST:
            page = self.look(Place(page.newer, newer=True), limit, **search)
            back.append(self.ids(page))
        found = list(chain(*there))
        self.assertEqual(found, sorted(found, key=lambda each: -(each or 0)))
        if len(pages) > 1:
            self.assertEqual(list(chain(*reversed(back))), found)
        return there


class PagingTests(SearchCase):
    """All runs."""

    def test_none(self) -> None:
        """A job without runs has one empty page."""
        self.assertEqual(self.look(), JobRuns(()))

    def test_pages(self) -> None:
        """Each run is on one page, there and back; those of other jobs are on none."""
        for number in range(11):
            self.add(slot=START + number * MINUTE)
            self.add(slot=START + number * MINUTE, job_id=self.other)
        self.assertEqual(self.walk(), [[21, 19, 17, 15], [13, 11, 9, 7], [5, 3, 1]])

    def test_whole_pages(self) -> None:
        """A last page that is full has no other after it."""
        self.add_many(8)
        self.assertEqual(self.walk(), [[8, 7, 6, 5], [4, 3, 2, 1]])

    def test_newest_meanwhile(self) -> None:
        """Who goes back to the begin sees a whole page, with what has come since."""
        self.add_many(6)
        older = self.look().older
        assert older is not None
        second = self.look(Place(older))
        self.add_many(1, first=at(5))
        assert second.newer is not None
        first = self.look(Place(second.newer, newer=True))
        self.assertEqual((self.ids(first), first.newer is None), ([6, 5, 4, 3], False))
        assert first.newer is not None
        self.assertEqual(self.ids(self.look(Place(first.newer, newer=True))), [7, 6, 5, 4])

    def test_before_all(self) -> None:
        """A place beyond either end leads back into the list."""
        self.add_many(3)
        self.assertEqual(self.ids(self.look(Place(Cursor.parse("r99"), newer=True))), [3, 2, 1])
        empty = self.look(Place(Cursor.parse("r1")))
        self.assertEqual((empty.runs, empty.older, str(empty.newer)), ((), None, "r1"))
        assert empty.newer is not None
        self.assertEqual(self.ids(self.look(Place(empty.newer, newer=True))), [3, 2, 1])

    def test_inherited(self) -> None:
        """What 0.27 ran comes after all else, and from there one gets back to the begin."""
        for number in range(6):
            event = {
                "job_id": self.job_id,
                "run_id": f"{number:x}" * 32,
                "type": "finished",
                "return_code": 0,
            }
            self.execute(insert(events).values(event | {"datetime": at(number)}))
        self.add_many(2)
        page = self.look()
        self.assertEqual([run.id for run in page.runs], [2, 1, None, None])
        assert page.older is not None
        rest = self.look(Place(page.older))
        self.assertEqual(([run.run_id[0] for run in rest.runs], rest.newer), (["3", "2", "1", "0"], LATEST))
        self.assertTrue(self.look(status=GOOD).not_searched)
        self.assertFalse(self.look().not_searched)


class StatusTests(SearchCase):
    """Those of a status."""

    def test_found(self) -> None:
        """Only these are found, wherever they are among the others."""
        for number in range(30):
            self.add(FAILED if number % 5 == 0 else GOOD, START + number * MINUTE)
        self.assertEqual(self.walk(status=FAILED), [[26, 21, 16, 11], [6, 1]])
        self.assertEqual(self.walk(status=Status.LOST), [[]])

    def test_there_and_back(self) -> None:
        """From an older page one comes back to the newer ones."""
        for number in range(30):
            self.add(FAILED if number % 5 == 0 else GOOD, START + number * MINUTE)
        page = self.look(Place(Cursor.parse("r7")), status=FAILED)
        self.assertEqual(self.ids(page), [6, 1])
        assert page.newer is not None
        self.assertEqual(self.ids(self.look(Place(page.newer, newer=True), status=FAILED)), [26, 21, 16, 11])

    def test_window(self) -> None:
        """Where there are few of them, a page says how far it has looked, and the next one goes on there."""
        self.patch(run_windows, "WINDOW", 10)
        self.add(FAILED, START)
        self.add_many(24, first=START + MINUTE)
        first = self.look(status=FAILED)
        self.assertEqual((first.runs, first.looked_through, first.looked_back_to), ((), 10, TODAY))
        assert first.older is not None
        second = self.look(Place(first.older), status=FAILED)
        self.assertEqual((self.ids(second), second.looked_through), ([], 10))
        assert second.older is not None
        third = self.look(Place(second.older), status=FAILED)
        self.assertEqual((self.ids(third), third.looked_through, third.older), ([1], None, None))
        assert second.newer is not None
        back = self.look(Place(second.newer, newer=True), status=FAILED)
        self.assertEqual((self.ids(back), str(back.newer)), ([], "r26"))
        assert back.newer is not None
        self.assertEqual(self.look(Place(back.newer, newer=True), status=FAILED), first)

    def test_window_is_enough(self) -> None:
        """A page that is full does not say how far it has looked."""
        self.patch(run_windows, "WINDOW", 10)
        self.add_many(20, FAILED)
        page = self.look(status=FAILED)
        self.assertEqual((self.ids(page), page.looked_through), ([20, 19, 18, 17], None))


class ByHandTests(SearchCase):
    """Those by hand."""

    def test_found(self) -> None:
        """They are found among any number of others, with all their attempts."""
        for number in range(12):
            self.add(slot=START + number * MINUTE)
            if number % 3 == 0:
                self.add(FAILED)
                self.add(attempt=2)
        self.assertEqual(self.walk(by_hand=True), [[18, 17, 13, 12], [8, 7, 3, 2]])
        self.assertEqual(self.walk(by_hand=True, status=FAILED), [[17, 12, 7, 2]])


class DayTests(SearchCase):
    """Those of a day."""

    def test_slots(self) -> None:
        """Runs belong to the day of their slot, from midnight to midnight."""
        for slot in (START - MINUTE, START, at(12), at(23, 59), START + timedelta(days=1)):
            self.add(slot=slot)
        self.assertEqual(self.walk(day=TODAY), [[4, 3, 2]])
        self.assertEqual(self.walk(day=TODAY - timedelta(days=1)), [[1]])
        self.assertEqual(self.walk(day=date(2026, 3, 1)), [[]])

    def test_pages(self) -> None:
        """They come page by page, and may be searched for further."""
        self.add_many(4, first=START - 2 * MINUTE)
        self.add_many(4, FAILED, at(5))
        self.assertEqual(self.walk(day=TODAY), [[8, 7, 6, 5], [4, 3]])
        self.assertEqual(self.walk(day=TODAY, status=GOOD), [[4, 3]])
        self.assertEqual(self.walk(day=TODAY, by_hand=True), [[]])

    def test_by_hand(self) -> None:
        """Runs by hand belong to the day on which they were asked for."""
        self.add(queued_at=at(5))
        self.add(slot=at(6))
        self.add(queued_at=START + timedelta(days=1))
        self.assertEqual(self.walk(day=TODAY), [[2, 1]])
        self.assertEqual(self.walk(day=TODAY, by_hand=True), [[1]])

    def test_many_by_hand(self) -> None:
        """The same when there are many of them, on all days."""
        self.patch(loose_ends, "FEW", 3)
        for number in range(12):
            self.add(queued_at=START + number * timedelta(hours=8))
        self.assertEqual(self.walk(day=TOMORROW), [[6, 5, 4]])
        self.assertEqual(self.walk(day=TOMORROW, by_hand=True), [[6, 5, 4]])

    def test_made_later(self) -> None:
        """A slot that was run on another day is found on its own."""
        self.add(slot=START + timedelta(days=3))
        self.add(slot=at(5), queued_at=START + timedelta(days=3), cause=Cause.BACKFILL.value)
        self.assertEqual(self.walk(day=TODAY), [[2]])

    def test_reaching_in(self) -> None:
        """A row for several slots is found on each of its days."""
        last = START + timedelta(days=2)
        self.add(Status.MISSED, at(22), last_slot=last, slots=27)
        self.add(slot=last + MINUTE)
        for day, ids in ((TODAY, [1]), (TOMORROW, [1]), (last.date(), [2, 1]), (date(2026, 1, 4), [])):
            self.assertEqual(self.walk(day=day), [ids], day)
        self.assertEqual(self.walk(day=TOMORROW, status=Status.MISSED), [[1]])
        self.assertEqual(self.walk(day=TOMORROW, status=FAILED), [[]])

    def test_filled_before(self) -> None:
        """Also when slots of it have been run since."""
        self.add(Status.MISSED, at(20), last_slot=START + timedelta(days=2), slots=29)
        for hour in (21, 22, 23):
            self.add(slot=at(hour), cause=Cause.BACKFILL.value, queued_at=at(23, 30))
        self.assertEqual(self.walk(day=TOMORROW), [[1]])
