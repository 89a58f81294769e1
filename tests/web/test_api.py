"""The API: what programs read and change."""

from datetime import timedelta
from typing import Any

from cronq.domain.runs import Status
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_run, remove_job
from tests.web.support import Answer, WebTestCase

SCHEDULE = "R/2024-01-01T00:00:00Z/PT1M"


def document(*names: str, **more: Any) -> dict[str, Any]:
    return {"jobs": [{"name": name, "schedule": SCHEDULE, "command": "true"} for name in names], **more}


class StatusTests(WebTestCase):
    def test_well(self) -> None:
        """The check of a load balancer is answered as in 0.27."""
        answer = self.get("/_status")
        self.assertEqual((answer.code, answer.json), (200, {"status": "OK"}))


class ReplaceCategoryTests(WebTestCase):
    def put(self, name: str, data: Any, method: str = "PUT") -> Answer:
        return self.ask(method, f"/api/category/{name}", json=data)

    def names(self, category: str) -> list[str]:
        found = self.get("/api/jobs", params={"category.name": category, "sort": "name.asc"}).json
        return [job["name"] for job in found["data"]["jobs"]]

    def test_replaces(self) -> None:
        """Jobs are added and removed, so that the category holds just those of the document."""
        self.assertEqual(self.put("c", document("a", "b")).json, {"status": "success"})
        self.assertEqual(self.put("c", document("b", "d"), "POST").json, {"status": "success"})
        self.assertEqual(self.names("c"), ["b", "d"])
        self.assertEqual(self.wakes, 2)

    def test_without_headers(self) -> None:
        """`curl -T` sends no content type, `curl -d` that of a form; both are understood."""
        body = b'{"jobs": [{"name": "a", "schedule": "R/2024-01-01T00:00:00Z/PT1M", "command": "x=1&y=%20"}]}'
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for method, headers in (("PUT", {}), ("PUT", form), ("POST", form)):
            answer = self.ask(method, "/api/category/c", data=body, headers=headers)
            self.assertEqual(answer.json, {"status": "success"})
        self.assertEqual(self.names("c"), ["a"])

    def test_any_name(self) -> None:
        """Whatever a name is made of, it is reached by percent-encoding."""
        for quoted, name in (
            ("maintenance%20%26%20backups", "maintenance & backups"),
            ("a%2Fb", "a/b"),
            ("%2F", "/"),
            ("a%2F%2Fb%2F", "a//b/"),
            ("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
            ("%F0%9F%A6%8A", "\U0001f98a"),
            ("100%25", "100%"),
            ("%3Cscript%3E", "<script>"),
            ("a?b".replace("?", "%3F"), "a?b"),
            ("%20", " "),
        ):
            self.assertEqual(self.put(quoted, document(name)).json, {"status": "success"}, name)
            self.assertEqual(self.names(name), [name])
            category = self.get(f"/api/categories/{quoted}").json["data"]["category"]
            self.assertEqual(category["name"], name)

    def test_names_that_are_none(self) -> None:
        """What cannot be a name makes no category."""
        for quoted, code in (("x" * 256, 400), ("%00", 400), ("%FF", 404), ("", 404), ("a/b", 404)):
            self.assertEqual(self.put(quoted, document("a")).code, code, quoted)
        self.assertEqual(self.get("/api/categories").json, {"data": {"categories": []}})

    def test_name_in_the_document(self) -> None:
        """A document may say its category, and not another one."""
        self.assertEqual(self.put("c", document("a", category="c")).code, 200)
        answer = self.put("c", document("a", category="d"))
        self.assertEqual(answer.code, 400)
        self.assertEqual([fault["place"] for fault in answer.json["error"]["faults"]], ["category"])

    def test_warnings(self) -> None:
        """An unknown key is accepted, as in 0.27, and answered with a warning."""
        job = {"name": "a", "schedule": SCHEDULE, "command": "true", "shedule": "x"}
        answer = self.put("c", {"jobs": [job]}).json
        expected = ["jobs[0].shedule: unknown key, did you mean schedule?"]
        self.assertEqual(answer, {"status": "success", "warnings": expected})

    def test_all_faults(self) -> None:
        """A bad document is answered with every fault and its place, and changes nothing."""
        self.put("c", document("kept"))
        answer = self.put(
            "c", {"jobs": [{"name": "a", "command": "true"}, {"name": 3, "schedule": "R", "command": ""}]}
        )
        error = answer.json["error"]
        self.assertEqual(answer.code, 400)
        places = [fault["place"] for fault in error["faults"]]
        self.assertEqual(places, ["jobs[0].schedule", "jobs[1].name", "jobs[1].schedule"])
        for fault in error["faults"]:
            self.assertIn(f"{fault['place']}: {fault['message']}", error["message"])
        self.assertEqual(self.names("c"), ["kept"])
        self.assertEqual(self.wakes, 1)

    def test_no_json(self) -> None:
        """What is no JSON is answered with the line of the fault."""
        for body, line in ((b"", 1), (b"{\n]", 2), (b"\xff\xfe", None), (b"[" * 100_000, None)):
            answer = self.ask("PUT", "/api/category/c", data=body)
            self.assertEqual(answer.code, 400)
            (fault,) = answer.json["error"]["faults"]
            if line is not None:
                self.assertEqual(fault["line"], line)


class CategoriesTests(WebTestCase):
    def test_list(self) -> None:
        """All categories, or the one of an id."""
        self.write(add_category, "b")
        self.write(add_category, "a")
        both = [{"id": 1, "name": "b"}, {"id": 2, "name": "a"}]
        self.assertEqual(self.get("/api/categories").json, {"data": {"categories": both}})
        self.assertEqual(self.get("/api/categories?id=2").json, {"data": {"categories": both[1:]}})

    def test_no_such_id(self) -> None:
        """An id of no category matches none, however large it is; what is no id is refused."""
        for text in ("3", "0", "9" * 30):
            self.assertEqual(self.get(f"/api/categories?id={text}").json, {"data": {"categories": []}})
        for text in ("x", "-1", "", "1.0", "\u0662"):
            answer = self.get("/api/categories", params={"id": text})
            self.assertEqual(answer.code, 400, text)
            self.assertIn("id: expected a whole number", answer.json["error"]["message"])

    def test_unknown_name(self) -> None:
        """A category that does not exist is not found; names are compared exactly."""
        self.write(add_category, "backups")
        for name in ("Backups", "backups%20", "x"):
            self.assertEqual(self.get(f"/api/categories/{name}").code, 404)


class JobsTests(WebTestCase):
    def names(self, query: str = "") -> list[str]:
        return [job["name"] for job in self.get(f"/api/jobs{query}").json["data"]["jobs"]]

    def seed(self) -> None:
        for category, names in (("z", "bd"), ("a", "ac")):
            category_id = self.write(add_category, category)
            for name in names:
                self.write(add_job, category_id, name)

    def test_sort(self) -> None:
        """Every order that 0.27 knew; anything else is the order of the ids."""
        self.seed()
        for sort, names in {
            "id.asc": "bdac",
            "id.desc": "cadb",
            "name.asc": "abcd",
            "name.desc": "dcba",
            "category_id.asc": "bdac",
            "category_id.desc": "cadb",
            "command.asc": "bdac",
            "name": "bdac",
            "": "bdac",
        }.items():
            self.assertEqual("".join(self.names(f"?sort={sort}")), names, sort)

    def test_filters(self) -> None:
        """By id, by the category's id and by its name, alone and together."""
        self.seed()
        for query, names in {
            "?id=2": "d",
            "?category.id=2": "ac",
            "?category.name=z": "bd",
            "?category.name=z&id=1": "b",
            "?category.name=z&category.id=2": "",
            "?category.name=nope": "",
            f"?id={'9' * 30}": "",
        }.items():
            self.assertEqual("".join(self.names(query)), names, query)

    def test_pages(self) -> None:
        """Ten a page unless asked otherwise, a hundred at most."""
        category = self.write(add_category, "c")
        for number in range(120):
            self.write(add_job, category, f"{number:03}")
        self.assertEqual(len(self.names()), 10)
        self.assertEqual(self.names("?page=2&per_page=3"), ["006", "007", "008"])
        self.assertEqual(len(self.names("?per_page=1000")), 100)
        self.assertEqual(self.names("?page=9999999999999999999"), [])
        for query in ("page=-1", "page=x", "per_page=0", "per_page=", "id=1e3", "category.id=none"):
            answer = self.get(f"/api/jobs?{query}")
            self.assertEqual(answer.code, 400, query)
            self.assertTrue(answer.json["error"]["message"].startswith(query.partition("=")[0]))

    def test_never_ran(self) -> None:
        """A job that never ran is `none`."""
        self.write(add_job, self.write(add_category, "c"), "j")
        job = self.get("/api/jobs/1").json["data"]["job"]
        never = {key: job[key] for key in ("current_status", "last_run_status", "last_run_text", "runs")}
        expected: dict[str, Any] = {
            "current_status": "none",
            "last_run_status": None,
            "last_run_text": "Never",
            "runs": [],
        }
        self.assertEqual(never, expected)

    def test_runs(self) -> None:
        """A job has its latest twenty runs, those without events as well, in the words of the ledger."""
        job = self.write(add_job, self.write(add_category, "c"), "j")
        for _ in range(20):
            self.write(add_run, job, Status.SUCCEEDED)
        missed = self.write(add_run, job, Status.MISSED, slot=NOW, recorded_at=NOW, reason="because")
        ended = self.write(add_full_run, job, Status.FAILED, NOW + timedelta(hours=1), 1.0, return_code=3)
        (found,) = self.get("/api/jobs").json["data"]["jobs"]
        self.assertEqual(len(found["runs"]), 20)
        self.assertEqual([run["id"] for run in found["runs"][:2]], [ended, missed])
        self.assertEqual(
            found["runs"][0],
            {
                "id": ended,
                "job_id": job,
                "status": "failed",
                "started_at": "2026-11-23T08:05:20",
                "started_event_id": 1,
                "completed_at": "2026-11-23T08:05:21",
                "completed_event_id": 2,
                "return_code": 3,
                "run_time": 1.0,
                "host": "worker-3.example.net",
                "slot": "2026-11-23T08:05:20.250000",
                "last_slot": None,
                "slots": 1,
                "attempt": 1,
                "cause": None,
                "reason": None,
                "request": None,
            },
        )
        without_events = {
            "started_event_id": None,
            "completed_event_id": None,
            "completed_at": "2026-11-23T07:05:20",
        }
        self.assertEqual({key: found["runs"][1][key] for key in without_events}, without_events)
        self.assertEqual(found["runs"][1]["reason"], "because")

    def test_final_runs_have_an_end(self) -> None:
        """`completed_at` is set just when the status is final."""
        job = self.write(add_job, self.write(add_category, "c"), "j")
        for status in Status:
            self.write(add_run, job, status, queued_at=NOW)
        for run in self.get("/api/jobs/1").json["data"]["job"]["runs"]:
            self.assertEqual(run["completed_at"] is not None, Status(run["status"]).final, run["status"])

    def test_running(self) -> None:
        """A running job says so in words that are plain text."""
        self.write(add_job, self.write(add_category, "c"), "j", current_status="starting")
        self.assertEqual(self.get("/api/jobs/1").json["data"]["job"]["last_run_text"], "Running now")

    def test_removed(self) -> None:
        """A removed job is in no list, but can be read, and says when it was removed."""
        self.write(add_job, self.write(add_category, "c"), "j")
        self.write(remove_job, 1)
        self.assertEqual(self.names(), [])
        self.assertEqual(self.get("/api/jobs/1").json["data"]["job"]["removed_at"], "2026-11-23T04:05:20")

    def test_unknown(self) -> None:
        """A job that does not exist is not found, and the answer is JSON."""
        for path in ("1", "0", f"{2**31}", "9" * 30, "-1", "x", "1/x"):
            answer = self.get(f"/api/jobs/{path}")
            self.assertEqual(answer.code, 404, path)
            self.assertIn("There is no", answer.json["error"]["message"].replace("nothing", "no"))


class RunTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(add_job, self.write(add_category, "c"), "j")

    def ask_for_run(self, **request: Any) -> Any:
        """Ask for a run that is allowed, and give it as the job has it."""
        answer = self.post("/api/jobs/1/run", **request)
        self.assertEqual(answer.code, 200, answer.text)
        (found,) = [
            run
            for run in self.get("/api/jobs/1").json["data"]["job"]["runs"]
            if run["id"] == answer.json["success"]["run_id"]
        ]
        return found

    def test_run(self) -> None:
        """A run is there at once, and the answer says when it was asked for, as in 0.27, and its id."""
        answer = self.post("/api/jobs/1/run")
        message = "Job submitted at 2026-11-23 07:05:20.250000"
        self.assertEqual((answer.code, answer.json["success"]["message"]), (200, message))
        (run,) = self.get("/api/jobs/1").json["data"]["job"]["runs"]
        self.assertEqual(
            (run["id"], run["status"], run["slot"]), (answer.json["success"]["run_id"], "queued", None)
        )
        self.assertEqual(self.wakes, 1)

    def test_several(self) -> None:
        """Asked for several times, it is several runs."""
        self.assertEqual(len({self.ask_for_run()["id"] for _ in range(3)}), 3)

    def test_said(self) -> None:
        """Who asks, why, and what the command is given stand with the run."""
        said = {"by": "anna", "reason": "late", "environment": {"DAY": "1"}, "arguments": ["-f", "", "a\nb"]}
        self.assertEqual(self.ask_for_run(json=said)["request"], said)
        self.assertEqual(self.ask_for_run(json={})["request"], {})
        self.assertEqual(self.ask_for_run(data={"reason": "late"})["request"], {"reason": "late"})

    def test_faults(self) -> None:
        """What is wrong is told with its place, and makes no run."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"arguments": "a"}, 'arguments: expected a list, found "a"'),
            ({"arguments": ["a", 1]}, "arguments[1]: expected a text, found 1"),
            ({"arguments": ["\0"]}, r'arguments[0]: "\u0000" at character 1 cannot be stored'),
            ({"arguments": ["a"] * 1001}, "arguments: has 1001 elements, at most 1000 are allowed"),
            ({"arguments": ["x" * 70_000]}, "this has 70018 bytes in all, at most 65535 are allowed"),
            ({"environment": {"A": 1}}, "environment.A: expected a text, found 1"),
            ({"environment": {"CRONQ_SLOT": ""}}, 'environment: "CRONQ_SLOT" is set by cronq itself'),
            ({"enviroment": {}}, "enviroment: unknown key, did you mean environment?"),
        ]
        for said, message in cases:
            answer = self.post("/api/jobs/1/run", json=said)
            self.assertEqual((answer.code, answer.json["error"]["message"]), (400, message))
        self.assertEqual(self.post("/api/jobs/1/run", data=b"[]").code, 400)
        self.assertEqual(self.get("/api/jobs/1").json["data"]["job"]["runs"], [])

    def test_removed(self) -> None:
        """A removed job cannot be run."""
        self.write(remove_job, 1)
        answer = self.post("/api/jobs/1/run")
        self.assertEqual(answer.code, 409)
        self.assertIn("is removed", answer.json["error"]["message"])

    def test_unknown(self) -> None:
        """Nor can one that does not exist."""
        self.assertEqual(self.post("/api/jobs/7/run").code, 404)
        self.assertEqual(self.wakes, 0)
