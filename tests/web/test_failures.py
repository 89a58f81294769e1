"""The page with the runs that failed."""

from datetime import timedelta

from cronq.domain.runs import Status
from tests.web.seed import (
    NOW,
    add_category,
    add_full_run,
    add_inherited_run,
    add_job,
    add_run,
    remove_job,
)
from tests.web.support import WebTestCase


class FailuresTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j", routing_key="it's mine")

    def listed(self, path: str) -> list[str]:
        links = [each.attributes["href"] for each in self.get(path).page.all("a")]
        return [link.removeprefix("/run/") for link in links if link.startswith("/run/")]

    def test_none(self) -> None:
        """When nothing failed the page says so."""
        self.write(add_full_run, self.job, Status.SUCCEEDED, NOW)
        self.assertIn("All runs that ended did so well.", self.get("/failures?status=any").page.text)

    def test_which_are_failures(self) -> None:
        """Every run that came to no good end is there, the latest first, and no other."""
        runs = {status: self.write(add_run, self.job, status, queued_at=NOW) for status in Status}
        good = {Status.QUEUED, Status.RUNNING, Status.SUCCEEDED, Status.SKIPPED}
        bad = [run for status, run in runs.items() if status not in good]
        self.assertEqual(self.listed("/failures?status=any"), bad[::-1])

    def test_row(self) -> None:
        """A row says which job, when, and what happened."""
        self.write(add_full_run, self.job, Status.FAILED, NOW - timedelta(minutes=3), 2.0, return_code=1)
        row = self.get("/failures?status=any").page.texts("tr")[-1]
        self.assertEqual(
            row, "failed j c 2 minutes ago 2026-11-23 07:02:22 UTC It failed: exit 1. on worker-3.example.net"
        )

    def test_unroutable(self) -> None:
        """An unroutable run says what to type, ready for a shell."""
        self.write(add_run, self.job, Status.UNROUTABLE, queued_at=NOW)
        command = """cronq-runner --queue 'it'"'"'s mine'"""
        self.assertIn(
            f"Start a runner that serves this routing key: {command}",
            self.get("/failures?status=any").page.text,
        )

    def test_unroutable_default(self) -> None:
        """The default routing key needs no option."""
        job = self.write(add_job, self.write(add_category, "d"), "k")
        self.write(add_run, job, Status.UNROUTABLE, queued_at=NOW)
        self.assertTrue(
            self.get("/failures?status=any").page.texts("tr")[-1].endswith("routing key: cronq-runner")
        )

    def test_one_status(self) -> None:
        """The choice above the list narrows it to one status."""
        self.write(add_run, self.job, Status.FAILED, queued_at=NOW)
        lost = self.write(add_run, self.job, Status.LOST, queued_at=NOW)
        choices = [each.attributes["href"] for each in self.get("/failures?status=any").page.all("a")]
        self.assertIn("/failures?status=lost", choices)
        self.assertEqual(self.listed("/failures?status=lost"), [lost])
        self.assertIn("No run is timed out.", self.get("/failures?status=timed_out").page.text)

    def test_status_that_is_none(self) -> None:
        """A status that is no failure, or none at all, is refused."""
        for status in ("succeeded", "bogus"):
            self.assertEqual(self.get(f"/failures?status={status}").code, 400)

    def test_removed_job(self) -> None:
        """The failures of removed jobs stay, and say so."""
        self.write(add_run, self.job, Status.FAILED, queued_at=NOW)
        self.write(remove_job, self.job)
        self.assertIn("j c, removed", self.get("/failures?status=any").page.text)

    def test_pages(self) -> None:
        """Older failures are on further pages, first those of this version and then those of 0.27."""
        old = [self.write(add_inherited_run, self.job, NOW - timedelta(days=1), n % 2) for n in range(60)]
        new = []
        for number in range(60):
            self.write(add_full_run, self.job, Status.SUCCEEDED, NOW + timedelta(seconds=2 * number))
            failed = (Status.FAILED, NOW + timedelta(seconds=2 * number + 1))
            new.append(self.write(add_full_run, self.job, *failed))
        path, found = "/failures?status=any", []
        while path:
            found.append(self.listed(path))
            page = self.get(path).page
            path = page.link("Older failures →") if "Older failures →" in page.texts("a") else ""
        self.assertEqual([len(ids) for ids in found], [25, 25, 25, 15])
        self.assertEqual([each for page in found for each in page], new[::-1] + old[1::2][::-1])

    def test_of_jobs_that_are_gone(self) -> None:
        """0.27 forgot the jobs that it removed, but not how their runs ended."""
        self.write(add_inherited_run, None, NOW, 1)
        self.assertIn("failed a removed job", self.get("/failures?status=any").page.text)
