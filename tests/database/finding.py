"""Runs by job, status and time, on any database."""

from datetime import timedelta
from typing import Any
from unittest import mock

from sqlalchemy import insert

from cronq.database.reading import run_windows
from cronq.database.reading.cursors import LATEST, Cursor
from cronq.database.reading.run_search import RunSearch, search_runs
from cronq.database.tables import events, jobs, runs
from cronq.domain.runs import Status
from tests.database.store import START, StoreCase

MINUTE = timedelta(minutes=1)
FAILED, SUCCEEDED, QUEUED, RUNNING = Status.FAILED, Status.SUCCEEDED, Status.QUEUED, Status.RUNNING


class SearchTests(StoreCase):
    """Sixty runs of two jobs, one a minute: of job 1 every tenth has failed, of job 2 all are queued."""

    def setUp(self) -> None:
        super().setUp()
        rows = [self.run_row(number) for number in range(60)]
        self.execute(insert(jobs), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        self.execute(insert(runs), rows)
        self.ids = [row["run_id"] for row in rows]

    def run_row(self, number: int) -> dict[str, Any]:
        job = 1 + number % 2
        status = QUEUED if job == 2 else FAILED if number % 20 == 0 else SUCCEEDED
        at = START + number * MINUTE
        row = {"run_id": f"{number:032x}", "job_id": job, "status": status.value, "queued_at": at}
        return row | {"publish_after": at if status is QUEUED else None}

    def search(self, limit: int = 100, cursor: Cursor = LATEST, **wanted: Any) -> list[int]:
        """The numbers of the runs on one page."""
        page = self.read(search_runs, RunSearch(**wanted), cursor, limit)
        self.older = page.older
        return [self.ids.index(run.run_id) for run in page.runs]

    def all_pages(self, limit: int, **wanted: Any) -> list[list[int]]:
        pages, cursor = [], LATEST
        while True:
            pages.append(self.search(limit, cursor, **wanted))
            if self.older is None:
                return pages
            cursor = self.older

    def test_all(self) -> None:
        """Without a wish, all come, the latest first, page by page and each once."""
        pages = self.all_pages(25)
        self.assertEqual([len(page) for page in pages], [25, 25, 10])
        self.assertEqual([number for page in pages for number in page], list(range(59, -1, -1)))

    def test_job(self) -> None:
        """Of one job."""
        self.assertEqual(self.search(job_id=2), list(range(59, -1, -2)))
        self.assertEqual(self.search(job_id=3), [])

    def test_statuses(self) -> None:
        """Of one status or several."""
        self.assertEqual(self.search(statuses=(FAILED,)), [40, 20, 0])
        self.assertEqual(self.search(3, statuses=(QUEUED,)), [59, 57, 55])
        self.assertEqual(self.search(4, statuses=(FAILED, QUEUED)), [59, 57, 55, 53])
        self.assertEqual(self.search(statuses=(RUNNING,)), [])

    def test_since(self) -> None:
        """Recorded since a moment; that very one is in it."""
        self.assertEqual(self.search(since=START + 57 * MINUTE), [59, 58, 57])
        self.assertEqual(self.search(since=START + 56.5 * MINUTE), [59, 58, 57])
        self.assertEqual(self.search(since=START + 60 * MINUTE), [])
        self.assertEqual(len(self.search(since=START - MINUTE)), 60)
        self.assertIsNone(self.older)

    def test_together(self) -> None:
        """All wishes at once, page by page."""
        wanted: dict[str, Any] = {"job_id": 1, "statuses": (FAILED, SUCCEEDED), "since": START + 10 * MINUTE}
        pages = self.all_pages(7, **wanted)
        self.assertEqual([number for page in pages for number in page], list(range(58, 9, -2)))
        self.assertEqual(self.search(job_id=1, statuses=(FAILED,)), [40, 20, 0])
        self.assertEqual(self.search(job_id=2, statuses=(FAILED,)), [])

    def test_rare(self) -> None:
        """One page looks through so many runs of a job at most, and says where it goes on."""
        with mock.patch.object(run_windows, "WINDOW", 8):
            pages = self.all_pages(5, job_id=1, statuses=(FAILED,))
        self.assertEqual(pages, [[], [40], [20], [0]])

    def test_inherited(self) -> None:
        """Behind the runs of a job come those of which only events of 0.27 tell."""
        old = {"job_id": 1, "host": "h", "once": None}
        told: list[dict[str, Any]] = []
        for number, code in enumerate((0, 1)):
            at, run_id = START - (10 - number) * MINUTE, f"{'e' * 31}{number}"
            self.ids.append(run_id)
            told.append(old | {"run_id": run_id, "type": "starting", "datetime": at, "return_code": None})
            told.append(old | {"run_id": run_id, "type": "finished", "datetime": at, "return_code": code})
        self.execute(insert(events), told)
        self.assertEqual(self.search(job_id=1)[-3:], [0, 61, 60])
        self.assertEqual(self.search(job_id=1, statuses=(FAILED,)), [40, 20, 0, 61])
        self.assertEqual(self.search(job_id=1, since=START - 9 * MINUTE)[-2:], [0, 61])
        self.assertEqual([page[-1] for page in self.all_pages(31, job_id=1)], [61, 60])
        self.assertEqual(len(self.search()), 60)
