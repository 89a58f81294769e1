"""Pausing a job, resuming it, and skipping its next slot: for programs and on its page."""

from typing import Any

from sqlalchemy import select

from cronq.database.tables import jobs
from tests.web.seed import EVERY_MINUTE, NOW, add_category, add_job, remove_job
from tests.web.support import Answer, WebTestCase


class RulingCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "billing")
        self.job = self.write(add_job, self.category, "j", schedule=EVERY_MINUTE, settled_until=NOW)

    def ask_api(self, deed: str, job: int | None = None, /, **said: Any) -> Answer:
        return self.post(f"/api/jobs/{job or self.job}/{deed}", json=said)

    def token(self, deed: str) -> str:
        """What the page of the job has put into the form of this deed."""
        return self.get(f"/job/{self.job}").page.token(f"/job/{self.job}/{deed}")

    def read_job(self) -> Any:
        return self.get(f"/api/jobs/{self.job}").json["data"]["job"]

    def row(self) -> Any:
        return self.write(lambda connection: connection.execute(select(jobs)).one())


class ApiTests(RulingCase):
    def test_pause(self) -> None:
        """A pause has an end and a reason, and who asked for it stands beside that."""
        answer = self.ask_api("pause", until="2026-11-24T08:00:00Z", reason="we move", by="ada")
        self.assertEqual(
            answer.json,
            {"success": {"message": f"Job {self.job} is paused until 2026-11-24 08:00:00 UTC."}},
        )
        reason = "paused until 2026-11-24 08:00:00 UTC: we move (by ada)"
        self.assertEqual(self.read_job()["paused"], {"until": "2026-11-24T08:00:00", "reason": reason})
        self.assertEqual(self.wakes, 1)

    def test_no_reason(self) -> None:
        """Without a reason it is told who did it."""
        self.ask_api("pause", by="root@vm")
        self.assertEqual(self.read_job()["paused"]["reason"], "paused: by root@vm")

    def test_duration(self) -> None:
        """The end may be so long from now."""
        self.ask_api("pause", until="PT2H")
        self.assertEqual(self.read_job()["paused"]["until"], "2026-11-23T09:05:20")
        self.ask_api("pause", until="P1M")
        self.assertEqual(self.read_job()["paused"]["until"], "2026-12-23T07:05:20")

    def test_for_ever(self) -> None:
        """Without an end it lasts until somebody resumes the job."""
        answer = self.ask_api("pause")
        self.assertIn("is paused until it is resumed.", answer.json["success"]["message"])
        self.assertEqual(self.read_job()["paused"], {"until": None, "reason": "paused"})
        self.assertEqual(self.ask_api("resume").json["success"]["message"], f"Job {self.job} goes on.")
        self.assertIsNone(self.read_job()["paused"])

    def test_bad_ends(self) -> None:
        """What is no moment, or has passed, is refused, and nothing changes."""
        for until, why in (
            ("tomorrow", "until: 'tomorrow' is neither a full date"),
            ("2026-11-23T07:05:20Z", "until: 2026-11-23 07:05:20 UTC has passed"),
            ("P9999Y", "until: "),
            ("-PT5S", "until: '-PT5S' is not a duration: a duration has no sign, leave it out"),
            (7, "until: expected a text, found 7"),
        ):
            answer = self.ask_api("pause", until=until)
            self.assertEqual(answer.code, 400, until)
            self.assertIn(why, answer.json["error"]["message"])
        self.assertIsNone(self.read_job()["paused"])

    def test_unknown_key(self) -> None:
        """A slip would pause for ever, so it is refused."""
        answer = self.ask_api("pause", untill="PT2H")
        self.assertEqual(answer.json["error"]["message"], "untill: unknown key, did you mean until?")

    def test_document_pauses(self) -> None:
        """What the document says only the document can end."""
        body = {"jobs": [{"name": "j", "schedule": EVERY_MINUTE, "command": "true", "enabled": False}]}
        self.ask("PUT", "/api/category/billing", json=body)
        self.assertEqual(self.read_job()["paused"], {"until": None, "reason": "not enabled"})
        self.assertEqual(self.read_job()["rules"], {"enabled": False})
        answer = self.ask_api("resume")
        self.assertEqual(answer.code, 409)
        self.assertIn("Its document keeps job", answer.json["error"]["message"])

    def test_skip_next(self) -> None:
        """The next slot will be skipped, or after all it will not."""
        answer = self.ask_api("skip-next")
        message = f"Job {self.job} will skip its slot at 2026-11-23 07:06:00 UTC."
        self.assertEqual(answer.json["success"]["message"], message)
        self.assertEqual(self.read_job()["skip_slot"], "2026-11-23T07:06:00")
        self.assertEqual(self.ask_api("unskip-next").code, 200)
        self.assertIsNone(self.read_job()["skip_slot"])

    def test_no_slots(self) -> None:
        """A job that is finished has nothing to skip."""
        once = self.write(add_job, self.category, "k", schedule="R1/2020-01-01T00:00:00Z/P1D", next_run=None)
        answer = self.ask_api("skip-next", once)
        self.assertEqual(answer.code, 409)
        self.assertEqual(answer.json["error"]["message"], f"Job {once} has no slots any more.")

    def test_only_after_others(self) -> None:
        """A job without a schedule never had slots."""
        follower = self.write(add_job, self.category, "k", schedule=None, next_run=None)
        answer = self.ask_api("skip-next", follower)
        self.assertEqual(answer.code, 409)
        message = f"Job {follower} has no schedule, so it has no slots that could be skipped."
        self.assertEqual(answer.json["error"]["message"], message)

    def test_no_such_job(self) -> None:
        """There must be a job, and it must be in its category."""
        removed = self.write(add_job, self.category, "k")
        self.write(remove_job, removed)
        for deed in ("pause", "resume", "skip-next", "unskip-next"):
            self.assertEqual(self.ask_api(deed, 4711).code, 404)
            self.assertEqual(self.ask_api(deed, removed).code, 409)


class RecordTests(RulingCase):
    """What the record of changes says of all that."""

    def changes(self) -> list[tuple[str, Any, Any]]:
        """All of them, the earliest first."""
        found = self.get(f"/api/changes?job={self.job}").json["data"]["changes"]
        return [(each["action"], each["before"], each["after"]) for each in reversed(found)]

    def assert_says(self, deed: str, said: str, /, **keys: Any) -> None:
        self.assertEqual(self.ask_api(deed, **keys).json["success"]["message"], f"Job {self.job} {said}")

    def test_pauses(self) -> None:
        """Each pause says which one it replaces, and its end which one that was; nothing is written twice."""
        self.assert_says("resume", "is not paused; nothing was to be done.")
        self.ask_api("pause", reason="we move")
        self.assert_says("pause", "is paused already until it is resumed.", reason="we move")
        self.ask_api("pause", until="2026-11-24T08:00:00Z")
        self.assert_says("resume", "goes on.")
        self.assert_says("resume", "is not paused; nothing was to be done.")
        first = {"paused_until": None, "reason": "we move"}
        second = {"paused_until": "2026-11-24T08:00:00Z", "reason": None}
        expected = [("job.paused", None, first), ("job.paused", first, second), ("job.resumed", second, None)]
        self.assertEqual(self.changes(), expected)

    def test_skips(self) -> None:
        """A slot is written down once when it is to be skipped, and once when it is not any more."""
        self.assert_says("unskip-next", "skips no slot; nothing was to be done.")
        self.ask_api("skip-next")
        already = "will skip its slot at 2026-11-23 07:06:00 UTC already; nothing was to be done."
        self.assert_says("skip-next", already)
        self.assert_says("unskip-next", "will skip no slot.")
        self.assert_says("unskip-next", "skips no slot; nothing was to be done.")
        none, slot = {"skip_slot": None}, {"skip_slot": "2026-11-23T07:06:00Z"}
        self.assertEqual(self.changes(), [("job.skips", none, slot), ("job.skips", slot, none)])


class PageTests(RulingCase):
    def send(self, deed: str, **fields: str) -> Answer:
        """Send a form of the job's page."""
        token = self.token(deed)
        return self.post(f"/job/{self.job}/{deed}", data={"form_token": token, **fields})

    def test_pause_and_resume(self) -> None:
        """The form leads back to the page, which says what keeps the job from running, with a button."""
        answer = self.send("pause", until="2026-11-24 08:00", reason="<we> move")
        self.assertEqual((answer.code, answer.header("Location")), (303, f"/job/{self.job}"))
        text = self.get(f"/job/{self.job}").page.text
        self.assertIn("Its slots are skipped: paused until 2026-11-24 08:00:00 UTC: <we> move. Resume", text)
        self.send("resume")
        self.assertNotIn("Its slots are skipped", self.get(f"/job/{self.job}").page.text)

    def test_empty_fields(self) -> None:
        """An empty form pauses until somebody resumes the job."""
        self.send("pause", until="", reason="")
        self.assertIn("Its slots are skipped: paused. Resume", self.get(f"/job/{self.job}").page.text)

    def test_skip(self) -> None:
        """The page tells which slot will be skipped."""
        self.send("skip-next")
        text = self.get(f"/job/{self.job}").page.text
        self.assertIn("Its slot in 39 s 2026-11-23 07:06:00 UTC will be skipped. Run it after all", text)
        self.send("unskip-next")
        self.assertNotIn("will be skipped", self.get(f"/job/{self.job}").page.text)

    def test_forged(self) -> None:
        """A form with the token of another does nothing."""
        token = self.token("backfill")
        for deed in ("pause", "resume", "skip-next", "unskip-next"):
            self.assertEqual(self.post(f"/job/{self.job}/{deed}", data={"form_token": token}).code, 403)
        self.assertIsNone(self.row().paused_until)

    def test_wrong_end(self) -> None:
        """What cannot be understood is explained beside the form, in which stays what was typed."""
        answer = self.send("pause", until='"soon"', reason="<b>")
        self.assertEqual(answer.code, 400)
        (said,) = [each.text for each in answer.page.all("p") if each.attributes.get("role") == "alert"]
        self.assertIn("Until: '\"soon\"' is neither a full date", said)
        typed = [each.attributes.get("value") for each in answer.page.all("input")]
        self.assertIn('"soon"', typed)
        self.assertEqual(typed.count("<b>"), 1)
        self.assertIn("every minute", answer.page.text)
        self.assertNotIn("data-now", answer.text)  # there is nothing at this address to read again

    def test_other_mistakes(self) -> None:
        """So it is with each form of the page; without a form for it, the page begins with what is wrong."""
        self.assertIn("Until:", self.send("pause", until="P0D").page.text)
        self.assertIn("From: missing.", self.send("backfill", at_once="7").page.text)
        answer = self.send("backfill", **{"from": "zz", "order": "newest", "at_once": "7"})
        self.assertEqual(answer.code, 400)
        self.assertIn('value="zz"', answer.text)
        self.assertIn('value="7"', answer.text)
        self.assertIn('value="newest" selected', answer.text)
        self.send("skip-next")
        answer = self.send("unskip-next", by="x" * 200)
        self.assertEqual(answer.code, 400)
        self.assertIn("By: has 200 characters", answer.page.text)
        token = self.token("pause")
        self.write(remove_job, self.job)
        answer = self.post(f"/job/{self.job}/pause", data={"form_token": token})
        self.assertEqual(answer.code, 409)
        self.assertIn(f"Job {self.job} is removed from its category.", answer.page.text)

    def test_run_now(self) -> None:
        """The form that asks for a run keeps what was typed as well."""
        page = self.get(f"/job/{self.job}").page
        token = page.all("input")[0].attributes["value"]
        form = {"form_token": token, "run_now": "1", "environment": "novalue", "arguments": "a b"}
        answer = self.post(f"/job/{self.job}", data=form)
        self.assertEqual(answer.code, 400)
        self.assertEqual([each.strip() for each in answer.page.texts("textarea")], ["a b", "novalue"])


class BackfillTests(RulingCase):
    """Slots of the past."""

    def begin(self, job: int | None = None, **said: Any) -> Answer:
        """Ask for a backfill; of course `from` is no name in Python."""
        keys = {"from" if key == "since" else key: value for key, value in said.items()}
        return self.post(f"/api/jobs/{job or self.job}/backfill", json=keys)

    def the_backfill(self) -> Any:
        (found,) = self.get(f"/api/jobs/{self.job}/backfills").json["data"]["backfills"]
        return found

    def test_begins(self) -> None:
        """It says how many slots there are, and is listed with how far it has come."""
        answer = self.begin(since="PT1H", order="newest", at_once=3, reason="why")
        message = f"Backfill 1 of job {self.job} has begun: of 60 slots, those run that have not."
        self.assertEqual(answer.json["success"]["message"], message)
        expected = {
            "from": "2026-11-23T06:05:20",
            "to": "2026-11-23T07:05:20",
            "order": "newest",
            "at_once": 3,
            "reason": "why",
            "slots": 60,
            "made": 0,
            "ended_at": None,
        }
        found = self.the_backfill()
        self.assertEqual({key: found[key] for key in expected}, expected)
        self.assertEqual(self.wakes, 1)

    def test_called_off(self) -> None:
        """It can be called off, once."""
        self.begin(since="PT1H")
        self.assertEqual(self.ask_api("stop-backfill", id=1).code, 200)
        self.assertEqual(self.ask_api("stop-backfill", id=1).code, 409)
        self.assertEqual(self.the_backfill()["stopped"], "somebody called it off")

    def test_refused(self) -> None:
        """What makes no sense is refused with the key that is to blame."""
        refused: list[tuple[dict[str, Any], str]] = [
            ({}, "from: missing"),
            ({"since": "soon"}, "from: 'soon' is neither"),
            ({"since": "PT1H", "to": "P1D"}, "from: 2026-11-23 06:05:20 UTC is later than the end"),
            ({"since": "PT5S"}, "from: there are no slots in that time"),
            (
                {"since": "P1Y"},
                "from: there are more than 100,000 slots in that time; from 1 to 100,000 can",
            ),
            ({"since": "PT1H", "at_once": 0}, "at_once: expected a whole number from 1 to 100, found 0"),
            (
                {"since": "PT1H", "at_once": "9" * 9},
                "at_once: expected a whole number from 1 to 100, found 9",
            ),
            ({"since": "PT1H", "order": "any"}, 'order: expected "oldest" or "newest", found "any"'),
            ({"since": "PT1H", "form": "x"}, "form: unknown key"),
        ]
        for said, why in refused:
            answer = self.begin(**said)
            self.assertEqual(answer.code, 400, said)
            self.assertIn(why, answer.json["error"]["message"])

    def test_no_schedule(self) -> None:
        """A job without a schedule has no slots of the past."""
        only_after = self.write(add_job, self.category, "k", schedule=None, next_run=None)
        removed = self.write(add_job, self.category, "l")
        self.write(remove_job, removed)
        for job, code, message in (
            (only_after, 409, f"Job {only_after} has no schedule, so it has no slots of the past."),
            (removed, 409, f"Job {removed} is removed from its category."),
            (4711, 404, "There is no job 4711."),
        ):
            answer = self.begin(job, since="PT1H")
            self.assertEqual((answer.code, answer.json["error"]["message"]), (code, message))
        self.assertEqual(self.get("/api/jobs/4711/backfills").code, 404)

    def test_page(self) -> None:
        """The form of the page does the same, and the page shows how far it is."""
        path = f"/job/{self.job}"
        token = self.token("backfill")
        form = {"form_token": token, "from": "PT1H", "to": "", "order": "oldest", "at_once": "2"}
        answer = self.post(f"{path}/backfill", data=form | {"reason": "<b>"})
        self.assertEqual((answer.code, answer.header("Location")), (303, path))
        period = "60 2026-11-23 06:05:20 UTC to 2026-11-23 07:05:20 UTC <b>"
        self.assertIn(period, self.get(path).page.text)
        form = {"form_token": self.token("stop-backfill"), "id": "1"}
        stop = self.post(f"{path}/stop-backfill", data=form)
        self.assertEqual(stop.code, 303)
        self.assertIn("somebody called it off", self.get(path).page.text)
