"""Finding pages of jobs, on any database: each that fits is met once, in order, and at a bounded cost."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert, select

from cronq.database.facet_tables import job_facets
from cronq.database.reading import job_pages
from cronq.database.reading.job_list import ListedJob, read_job_list
from cronq.database.reading.job_order import JobOrder, JobSort, Place
from cronq.database.reading.job_pages import JobPage, Start, find_page
from cronq.database.reading.job_search import JobFilter, Search
from cronq.database.tables import categories, jobs, runs
from cronq.database.usual_tables import usual_durations
from cronq.domain.pauses import FOR_EVER
from cronq.domain.rules import Rules
from cronq.domain.runs import Status, new_run_id
from cronq.domain.usual import UsualDuration
from tests.database.store import START, StoreCase, at, job

ORDERS = [JobOrder(sort, turned) for sort in JobSort for turned in (False, True)]
MINUTE = timedelta(minutes=1)
Row = dict[str, Any]


def _name(number: int) -> str:
    """Names in another order than that of the ids."""
    return f"job {number * 37 % 101:03}"


class PagesCase(StoreCase):
    """Sixty jobs in three categories and in none, of which each has some of what others have, too."""

    def setUp(self) -> None:
        super().setUp()
        self.now = at(12)
        self.execute(insert(categories), [{"id": n, "name": f"category {n}"} for n in (1, 2, 3)])
        self.all = [self.row_of(number) for number in range(1, 61)]
        self.execute(insert(jobs), self.all)
        self.usual = {n: float(n % 5) + 0.1 for n in range(1, 61) if n % 4}
        rows = [{"job_id": n, "median": each} for n, each in self.usual.items()]
        same = {"runs": 3, "p95": 9.0, "computed_at": START}
        self.execute(insert(usual_durations), [row | same for row in rows])

    def row_of(self, number: int) -> Row:
        """Many share a time with others, and some have none."""
        return {
            "id": number,
            "name": _name(number),
            "category_id": number % 4 or None,
            "next_run": at(13, number % 7) if number % 5 else None,
            "last_run_stop": at(11, number % 6) if number % 3 else None,
            "last_run_status": (None, "succeeded", "failed")[number % 3],
            "current_status": (None, "succeeded", "failed")[number % 3],
            "command": f"run --number {number}",
            "removed_at": START if number == 60 else None,
        }

    def expected(self, order: JobOrder, fits: Callable[[Row], bool]) -> list[int]:
        """What a person would write down."""

        def first(row: Row) -> Any:
            if order.sort is JobSort.USUAL:
                return self.usual.get(row["id"])
            return row[{"name": "category_id", "next": "next_run", "last": "last_run_stop"}[order.sort]]

        def both(row: Row) -> Any:
            return first(row), row["name"] if order.sort is JobSort.NAME else row["id"]

        found = [row for row in self.all if row["removed_at"] is None and fits(row)]
        having = [row for row in found if first(row) is not None]
        having.sort(key=both, reverse=not order.upwards)
        return [row["id"] for row in (*having, *(row for row in found if first(row) is None))]

    def page(
        self, search: Search, order: JobOrder, place: Place | None = None, *, forwards: bool = True
    ) -> JobPage:
        """Of at most seven jobs."""
        return self.read(find_page, search, order, Start(place, forwards), self.now, 7)

    def there(self, search: Search, order: JobOrder) -> list[JobPage]:
        """All pages from the first on; each place goes through an address."""
        pages = [self.page(search, order)]
        while place := pages[-1].next:
            pages.append(self.page(search, order, order.parse_place(str(place))))
            self.assertLess(len(pages), 100)
        return pages

    def back(self, search: Search, order: JobOrder, last: JobPage) -> list[JobPage]:
        """All pages before one, in order."""
        pages = [last]
        while place := pages[-1].previous:
            place = order.parse_place(str(place))
            pages.append(self.page(search, order, place, forwards=False))
            self.assertLess(len(pages), 100)
        return pages[:0:-1]

    def ids(self, pages: Sequence[JobPage]) -> list[int]:
        return [each.id for page in pages for each in page.jobs]

    def assertFinds(
        self, search: Search, fits: Callable[[Row], bool], orders: Sequence[JobOrder] = ORDERS
    ) -> None:
        """It is met once and in order, on the way there and on the way back."""
        for order in orders:
            expected = self.expected(order, fits)
            pages = self.there(search, order)
            self.assertEqual(self.ids(pages), expected, (search, str(order)))
            if expected:
                last = [page for page in pages if page.jobs][-1]
                found = self.ids([*self.back(search, order, last), last])
                self.assertEqual(found, expected, (search, str(order), "back"))


class PageTests(PagesCase):
    """Orders, searches, and both ways."""

    def test_all(self) -> None:
        """Without a search, all that are not removed."""
        self.assertFinds(Search(), lambda _: True)

    def test_full_pages(self) -> None:
        """Each page but the last is full, and says where the next one begins."""
        pages = self.there(Search(), JobOrder())
        self.assertEqual([len(page.jobs) for page in pages], [7] * 8 + [3])
        self.assertFalse(any(page.cut_short for page in pages))
        self.assertIsNone(pages[0].previous)

    def test_text(self) -> None:
        """Part of the name or of the command, in any case; signs of patterns stand for themselves."""
        self.assertFinds(Search("Job 03"), lambda row: "job 03" in row["name"])
        self.assertFinds(Search("NUMBER 5"), lambda row: "number 5" in row["command"])
        self.assertFinds(Search("j_b"), lambda _: False)

    def test_category(self) -> None:
        """Exactly the jobs of that name."""
        self.assertFinds(Search(category="category 2"), lambda row: row["category_id"] == 2)
        self.assertFinds(Search(category="Category 2"), lambda _: False)

    def test_states(self) -> None:
        """Failing, succeeded, never ran."""
        self.assertFinds(Search(state=JobFilter.FAILING), lambda row: row["last_run_status"] == "failed")
        self.assertFinds(Search(state=JobFilter.SUCCEEDED), lambda row: row["last_run_status"] == "succeeded")
        self.assertFinds(Search(state=JobFilter.NEVER), lambda row: row["last_run_status"] is None)

    def test_failing_in_0_27(self) -> None:
        """It wrote `finished` where a command had failed."""
        self.sql("UPDATE jobs SET last_run_status = 'finished' WHERE last_run_status = 'failed'")
        self.assertFinds(Search(state=JobFilter.FAILING), lambda row: row["last_run_status"] == "failed")

    def test_running(self) -> None:
        """What runs now, if it is in the ledger or in its own row."""
        for number in (4, 9):
            self.execute(insert(runs).values(run_id=new_run_id(self.now), job_id=number, status="running"))
        self.sql("UPDATE jobs SET current_status = 'starting' WHERE id IN (4, 9)")
        self.assertFinds(Search(state=JobFilter.RUNNING), lambda row: row["id"] in {4, 9})

    def test_late(self) -> None:
        """What no injector has taken for more than a minute."""
        late = self.now - 2 * MINUTE
        self.execute(jobs.update().where(jobs.c.id.in_((3, 8))).values(next_run=late))
        self.execute(jobs.update().where(jobs.c.id == 9).values(next_run=self.now - MINUTE / 2))
        for row in self.all:
            row["next_run"] = late if row["id"] in {3, 8} else row["next_run"]
        self.assertFinds(Search(state=JobFilter.LATE), lambda row: row["id"] in {3, 8})

    def test_paused(self) -> None:
        """What people pause, and what its document does, as long as it lasts."""
        for number, until in ((5, FOR_EVER), (6, self.now + MINUTE), (7, self.now)):
            self.execute(jobs.update().where(jobs.c.id == number).values(paused_until=until))
        rows = [(10, FOR_EVER), (11, self.now + MINUTE), (5, self.now + MINUTE), (12, self.now - MINUTE)]
        for number, until in rows:
            text = until.isoformat(timespec="microseconds")
            self.execute(insert(job_facets).values(facet="paused_until", value=text, job_id=number))
        self.assertFinds(Search(state=JobFilter.PAUSED), lambda row: row["id"] in {5, 6, 10, 11})

    def test_owner_and_tag(self) -> None:
        """What several say, compared exactly; everything that is asked for must hold."""
        owned = {"owner": {4, 8, 15, 16, 23, 42}, "tag": {8, 16, 24, 32}}
        for facet, numbers in owned.items():
            rows = [{"facet": facet, "value": "Team", "job_id": number} for number in numbers]
            self.execute(insert(job_facets), rows)
        self.assertFinds(Search(owner="Team"), lambda row: row["id"] in owned["owner"])
        self.assertFinds(Search(tag="Team"), lambda row: row["id"] in owned["tag"])
        self.assertFinds(Search(owner="Team", tag="Team"), lambda row: row["id"] in {8, 16})
        self.assertFinds(Search(owner="team"), lambda _: False)
        both = Search("number 1", "", JobFilter.SUCCEEDED, "Team", "Team")
        self.assertFinds(both, lambda row: row["id"] == 16)

    def test_place_that_is_gone(self) -> None:
        """A page that begins at a job which nobody knows begins at the beginning."""
        page = self.page(Search(), JobOrder(), JobOrder().parse_place("999"))
        self.assertEqual(self.ids([page]), self.ids(self.there(Search(), JobOrder())[:1]))

    def test_moved_meanwhile(self) -> None:
        """A job that has run since the page was read does not lead the next page astray."""
        order = JobOrder(JobSort.LAST)
        first = self.page(Search(), order)
        self.execute(jobs.update().where(jobs.c.id == first.jobs[-1].id).values(last_run_stop=self.now))
        second = self.page(Search(), order, first.next)
        self.assertEqual(self.ids([second]), self.expected(order, lambda _: True)[7:14])


class BoundTests(PagesCase):
    """What is looked at for one page has a limit, which is small here."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(job_pages, "STEPS", (4, 6))
        self.patch(job_pages, "FEW", 10)

    def test_searches(self) -> None:
        """Everything is found all the same, on more pages."""
        self.assertFinds(Search(), lambda _: True)
        self.assertFinds(Search("number 5"), lambda row: "number 5" in row["command"])
        self.assertFinds(Search(category="category 1"), lambda row: row["category_id"] == 1)
        self.assertFinds(Search(state=JobFilter.NEVER), lambda row: row["last_run_status"] is None)

    def test_cut_short(self) -> None:
        """A page that looked at enough jobs says so, and where to look on."""
        page = self.page(Search("no such job"), JobOrder())
        self.assertEqual((page.jobs, page.cut_short), ((), True))
        self.assertIsNotNone(page.next)

    def test_few(self) -> None:
        """What an index leads to is found on the first page, wherever it stands in the order."""
        rows = [{"facet": "owner", "value": "me", "job_id": number} for number in (20, 40, 59)]
        self.execute(insert(job_facets), rows)
        for order in ORDERS:
            page = self.page(Search(owner="me"), order)
            self.assertEqual(sorted(each.id for each in page.jobs), [20, 40, 59])
            self.assertEqual((page.previous, page.next, page.cut_short), (None, None, False))


class FacetTests(StoreCase):
    """What documents say of jobs, so that they can be found by it."""

    def facets(self) -> set[tuple[str, str, str]]:
        """With the name of the job."""
        query = select(jobs.c.name, job_facets.c.facet, job_facets.c.value)
        query = query.join(jobs, jobs.c.id == job_facets.c.job_id)
        return self.read(lambda connection: {tuple(row) for row in connection.execute(query)})

    def test_follow_the_document(self) -> None:
        """They come, change and go with the jobs of the category."""
        self.put(job("a", rules=Rules(owner="me", tags=("x", "y"))), job("b", rules=Rules(enabled=False)))
        expected = {("a", "owner", "me"), ("a", "tag", "x"), ("a", "tag", "y")}
        paused = ("b", "paused_until", "9999-12-31T23:59:59.000000")
        self.assertEqual(self.facets(), {*expected, paused})
        self.put(job("a", rules=Rules(owner="you", tags=("x",))), job("b", rules=Rules(enabled=False)))
        self.assertEqual(self.facets(), {("a", "owner", "you"), ("a", "tag", "x"), paused})
        self.put(job("b"))
        self.assertEqual(self.facets(), set())
        self.put(job("a", rules=Rules(tags=("z",))), job("b"))
        self.assertEqual(self.facets(), {("a", "tag", "z")})


class ListTests(StoreCase):
    """What the list says of each job."""

    def setUp(self) -> None:
        super().setUp()
        self.put(*(job(name, rules=Rules(owner=f"owner of {name}")) for name in ("a", "b")))
        self.a, self.b = (int(row["id"]) for row in self.rows(jobs))

    def add_runs(self, job_id: int, *statuses: Status) -> None:
        for number, status in enumerate(statuses):
            times = {"slot": at(1, number), "ended_at": at(1, number, 5), "run_time": 1.5 + number}
            row = {"run_id": new_run_id(self.now), "job_id": job_id, "status": status.value}
            self.execute(insert(runs).values(row | times))

    def listed(self) -> list[ListedJob]:
        view = self.read(read_job_list, Search(), JobOrder(), Start())
        return [each for group in view.groups for each in group.jobs]

    def test_strip(self) -> None:
        """Of each job the latest thirty runs, the latest first, and which came to no good end."""
        self.add_runs(self.a, *[Status.SUCCEEDED] * 5, Status.FAILED, *[Status.SUCCEEDED] * 29)
        self.add_runs(self.b, Status.RUNNING)
        first, second = self.listed()
        self.assertEqual(len(first.bars), 30)
        self.assertEqual([bar.took for bar in first.bars], [1.5 + number for number in range(34, 4, -1)])
        self.assertEqual([bar.status for bar in first.bars], [Status.SUCCEEDED] * 29 + [Status.FAILED])
        assert first.latest is not None
        assert first.latest_trouble is not None
        self.assertEqual((first.latest.status, first.latest.at), (Status.SUCCEEDED, at(1, 34, 5)))
        self.assertEqual((first.latest_trouble.status, first.latest_trouble.at), (Status.FAILED, at(1, 5, 5)))
        self.assertEqual((len(second.bars), second.latest_trouble), (1, None))

    def test_usual(self) -> None:
        """The usual duration of whoever has one."""
        row = {"job_id": self.b, "runs": 3, "median": 2.5, "p95": 4.0, "computed_at": START}
        self.execute(insert(usual_durations).values(row))
        self.assertEqual([each.usual for each in self.listed()], [None, UsualDuration(3, 2.5, 4.0)])

    def test_choices(self) -> None:
        """The names there are, in order; too many are none to choose from."""
        self.put(job("c", rules=Rules(owner="a", tags=("t",))), category="other")
        view = self.read(read_job_list, Search(), JobOrder(), Start())
        self.assertEqual(view.categories, ("example", "other"))
        self.assertEqual(view.owners, ("a", "owner of a", "owner of b"))
        self.assertEqual(view.tags, ("t",))
        self.put(*(job(f"{n}", rules=Rules(owner=f"{n}")) for n in range(201)), category="many")
        self.assertIsNone(self.read(read_job_list, Search(), JobOrder(), Start()).owners)

    def test_statements(self) -> None:
        """However many jobs are on a page, the number of statements is the same."""
        counts = []
        for number in (2, 30):
            self.put(*(job(f"job {n}") for n in range(number)))
            counted: list[str] = []

            def note(*args: Any, counted: list[str] = counted) -> None:
                counted.append(args[2])

            event.listen(self.engine, "before_cursor_execute", note)
            self.addCleanup(event.remove, self.engine, "before_cursor_execute", note)
            self.listed()
            counts.append(len(counted))
        self.assertEqual(counts[0], counts[1])
