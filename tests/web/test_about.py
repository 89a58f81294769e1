"""What a job says for people, wherever somebody looks at it because it fails."""

from datetime import timedelta

from cronq.domain.rules import Rules
from cronq.domain.runs import TROUBLE, Status
from cronq.web.words.wording import is_address
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_run
from tests.web.support import WebTestCase

RUNBOOK = "https://logs.example/runbooks/backup"
ABOUT = Rules(
    description="Copies the shop.\n<b>Nightly.</b>",
    owner="<i>ada</i>@example.net",
    runbook=RUNBOOK,
    tags=("shop", "<s>night</s>"),
)


class AboutTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "c")
        self.job = self.write(add_job, self.category, "j", rules=ABOUT.encode())

    def test_job(self) -> None:
        """The page of the job begins with it, and does not repeat it among the rules."""
        page = self.get(f"/job/{self.job}").page
        for part in (
            "Copies the shop. <b>Nightly.</b>",
            "Owner <i>ada</i>@example.net",
            f"Runbook {RUNBOOK}",
            "Tags shop <s>night</s>",
        ):
            self.assertIn(part, page.text)
        self.assertEqual(page.link(RUNBOOK), RUNBOOK)
        self.assertNotIn("Rules", page.text)

    def test_failed_run(self) -> None:
        """The page of a run that came to no good end has it; that of a good one does not."""
        for status in Status:
            text = self.get(f"/run/{self.write(add_run, self.job, status)}").page.text
            shown = [part in text for part in ("Copies the shop.", "Owner <i>ada</i>", f"Runbook {RUNBOOK}")]
            self.assertEqual(shown, [status in TROUBLE] * 3, status)

    def test_failures(self) -> None:
        """The list of failures says whose job it is, and where to read what to do."""
        self.write(add_full_run, self.job, Status.FAILED, NOW - timedelta(hours=1), return_code=3)
        self.write(lambda store: store.exec_driver_sql("UPDATE jobs SET last_run_status = 'failed'"))
        for path, colon in (("/failures", ""), ("/failures?status=any", ":")):
            page = self.get(path).page
            said = f"Owner{colon} <i>ada</i>@example.net Runbook{colon} {RUNBOOK}"
            self.assertIn(said, page.text)
            self.assertEqual(page.link(RUNBOOK), RUNBOOK)

    def test_api(self) -> None:
        """Programs find it among the rules, as in the document."""
        rules = self.get(f"/api/jobs/{self.job}").json["data"]["job"]["rules"]
        self.assertEqual((rules["owner"], rules["tags"]), (ABOUT.owner, list(ABOUT.tags)))

    def test_nothing(self) -> None:
        """A job that says nothing has no empty headings."""
        job = self.write(add_job, self.category, "k")
        self.write(add_full_run, job, Status.FAILED, NOW, return_code=3)
        for path in (f"/job/{job}", "/failures"):
            text = self.get(path).page.text
            for word in ("Owner", "Runbook", "Tags"):
                self.assertNotIn(word, text)

    def test_runbook_that_is_no_address(self) -> None:
        """A runbook may be the text itself; what is no address of the web is never a link."""
        texts = (
            "javascript:alert(1)",
            "restart it",
            "https://a b",
            "ftp://x/",
            "https://",
            " https://x/",
            "https://x/\n",
            "https://user@x/",
            "data:text/html,x",
        )
        for text in texts:
            self.assertFalse(is_address(text), text)
        for text in ("https://x", "http://x:80/a?b#c", RUNBOOK):
            self.assertTrue(is_address(text), text)
        rules = Rules(runbook="javascript:alert(1)").encode()
        page = self.get(f"/job/{self.write(add_job, self.category, 'l', rules=rules)}").page
        self.assertIn("Runbook javascript:alert(1)", page.text)
