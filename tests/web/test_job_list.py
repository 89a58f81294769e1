"""The page with the jobs."""

from datetime import timedelta

from cronq.domain.runs import Status
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_run, remove_job
from tests.web.support import WebTestCase


class JobListTests(WebTestCase):
    def names(self, path: str) -> list[str]:
        page = self.get(path).page
        return [each.text for each in page.all("a") if each.attributes["href"].startswith("/job/")]

    def test_empty(self) -> None:
        """Whoever has no jobs yet is told what to type, with the address that they came by."""
        page = self.get("/").page
        self.assertIn("No jobs yet", page.text)
        self.assertIn("cronq-validator --config hello.json", page.text)
        self.assertIn("curl -T hello.json http://cronq.example:5000/api/category/hello", page.text)

    def test_empty_example_is_right(self) -> None:
        """The document of the example can be put in as it stands."""
        (document, _commands) = self.get("/").page.texts("pre")
        self.assertEqual(self.ask("PUT", "/api/category/hello", data=document.encode()).code, 200)
        self.assertEqual(self.names("/"), ["Say hello"])

    def test_by_category(self) -> None:
        """Jobs stand below their category, in the order of their names."""
        second, first = self.write(add_category, "b"), self.write(add_category, "a")
        for category, name in ((first, "z"), (second, "y"), (first, "x")):
            self.write(add_job, category, name)
        text = self.get("/").page.text
        self.assertLess(text.index(" b "), text.index(" y "))
        self.assertEqual(self.names("/"), ["y", "x", "z"])

    def test_row(self) -> None:
        """A row says the state, the schedule in words, when it last ran and when it runs next."""
        category = self.write(add_category, "c")
        columns = {"current_status": "succeeded", "last_run_stop": NOW - timedelta(minutes=3)}
        job = self.write(add_job, category, "j", routing_key="slow", **columns)
        self.write(add_full_run, job, Status.SUCCEEDED, NOW - timedelta(minutes=3), 2.4)
        row = self.get("/").page.texts("tr")[-1]
        self.assertEqual(row, "succeeded j every minute 3 minutes ago took 2.4 s in 39 s slow")

    def test_never_ran(self) -> None:
        """A job that never ran says so."""
        self.write(add_job, self.write(add_category, "c"), "j")
        self.assertEqual(self.get("/").page.texts("tr")[-1], "never ran j every minute never in 39 s default")

    def test_state_is_that_of_the_latest_run(self) -> None:
        """A job whose latest slot reached no runner does not look well because an earlier one did."""
        columns = {"current_status": "succeeded", "last_run_status": "succeeded"}
        job = self.write(add_job, self.write(add_category, "c"), "j", **columns)
        self.write(add_run, job, Status.SUCCEEDED)
        self.write(add_run, job, Status.UNROUTABLE)
        self.assertIn("unroutable", self.get("/").page.texts("tr")[-1])

    def test_exact_times_at_hand(self) -> None:
        """Each relative time has the exact one with it."""
        self.write(add_job, self.write(add_category, "c"), "j")
        *_, time = self.get("/").page.all("time")
        self.assertEqual(time.attributes["title"], "2026-11-23 07:06:00 UTC")
        self.assertEqual(time.attributes["datetime"], "2026-11-23T07:06:00Z")

    def test_removed_jobs_are_not_listed(self) -> None:
        """A job that was taken out of its category is not in the list."""
        job = self.write(add_job, self.write(add_category, "c"), "gone")
        self.write(remove_job, job)
        self.assertEqual(self.names("/"), [])

    def test_pages(self) -> None:
        """From page to page every job is met once, and the way back leads over the same pages."""
        for name in ("c", "d"):
            category = self.write(add_category, name)
            for number in range(60):
                self.write(add_job, category, f"{name}{number:03}")
        expected = [f"{name}{number:03}" for name in ("c", "d") for number in range(60)]
        paths, found = ["/"], []
        while True:
            page = self.get(paths[-1]).page
            found.append(self.names(paths[-1]))
            if "Next →" not in page.texts("a"):
                break
            paths.append(page.link("Next →"))
        self.assertEqual([len(names) for names in found], [50, 50, 20])
        self.assertEqual([each for page in found for each in page], expected)
        back = self.get(paths[-1]).page.link("← Previous")
        self.assertEqual(self.names(back), found[1])
        first = self.get(back).page
        self.assertEqual(self.names(first.link("← Previous")), found[0])
        self.assertNotIn("← Previous", self.get(first.link("← Previous")).page.texts("a"))

    def test_search(self) -> None:
        """What is searched for is part of the name or the command, in any case of letters."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "Nightly Backup")
        self.write(add_job, category, "other", command="/bin/BACKUP-all")
        self.write(add_job, category, "third")
        self.assertEqual(self.names("/?q=backup"), ["Nightly Backup", "other"])
        self.assertEqual(self.names("/?q=%20NIGHTLY%20"), ["Nightly Backup"])

    def test_search_takes_signs_as_they_are(self) -> None:
        """Percent and underscore stand for themselves."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "100% sure")
        self.write(add_job, category, "100 sure")
        self.assertEqual(self.names("/?q=0%25"), ["100% sure"])
        self.assertEqual(self.names("/?q=_"), [])

    def test_filters(self) -> None:
        """Category and state narrow the list, together with the search."""
        one, two = self.write(add_category, "one"), self.write(add_category, "two & more")
        failed = {"current_status": "failed", "last_run_status": "failed"}
        self.write(add_job, one, "a", **failed)
        self.write(add_job, one, "b")
        self.write(add_job, two, "c", **failed)
        self.write(add_job, two, "d", current_status="starting")
        self.assertEqual(self.names("/?category=two+%26+more"), ["c", "d"])
        self.assertEqual(self.names("/?state=failed"), ["a", "c"])
        self.assertEqual(self.names("/?state=starting"), ["d"])
        self.assertEqual(self.names("/?state=none"), ["b"])
        self.assertEqual(self.names("/?state=failed&category=one&q=a"), ["a"])

    def test_filter_stays_in_the_form(self) -> None:
        """The form shows what the list was filtered by, and the links to other pages keep it."""
        category = self.write(add_category, "a&b")
        for number in range(51):
            self.write(add_job, category, f"job {number}")
        page = self.get("/?q=job&category=a%26b&state=none").page
        self.assertEqual([each.attributes["value"] for each in page.all("input")], ["job"])
        chosen = [each.text for each in page.all("option") if "selected" in each.attributes]
        self.assertEqual(chosen, ["a&b", "Never ran"])
        self.assertIn("q=job&category=a%26b&state=none&after=", page.link("Next →"))

    def test_nothing_found(self) -> None:
        """A search without a result leads back to all jobs."""
        self.write(add_job, self.write(add_category, "c"), "j")
        page = self.get("/?q=nothing").page
        self.assertIn("No job is like that.", page.text)
        self.assertEqual(page.link("Show all jobs"), "/")

    def test_unknown_state(self) -> None:
        """A state that does not exist is said to be wrong, on a page."""
        answer = self.get("/?state=bogus")
        self.assertEqual(answer.code, 400)
        self.assertIn('expected one of starting, succeeded, failed, none, found "bogus"', answer.page.text)

    def test_no_injector(self) -> None:
        """When slots wait and no injector takes them, the list says so first."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "j", next_run=NOW - timedelta(minutes=5, seconds=1))
        page = self.get("/").page
        self.assertIn("A slot has been waiting for 5 minutes", page.text)
        self.assertIn("due 5 minutes ago", page.text)

    def test_injector_in_time(self) -> None:
        """A slot that is due this very moment alarms nobody."""
        self.write(add_job, self.write(add_category, "c"), "j", next_run=NOW - timedelta(seconds=2))
        self.assertNotIn("waiting", self.get("/").page.text)
