"""The first and the last instants that there are, wherever the web takes a time: an answer or a refusal."""

import json
from itertools import product
from typing import Any

from tests.web.installation import seed_small
from tests.web.support import Answer, WebTestCase

TIMES = (
    "0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001Z", "0001-01-02", "0999-12-31",
    "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00", "PT0.000001S", "P2025Y", "P2026Y", "P7973Y", "P7974Y", "P8000Y",
    "P740000D", "P2921940D", "P999999999D",
)  # fmt: skip
DAYS = ("0001-01-01", "1970-01-01", "9000-01-01", "9999-12-31")
NUMBERS = ("0", "1", "2147483647", "2147483648", "999999999999999999", "9" * 30)
#: Addresses with a place for a moment each.
MOMENTS = (
    "/audit?from={}", "/audit?to={}", "/audit?from=0001-01-01&to={}", "/audit?from={}&to=9999-12-31",
    "/api/audit?from={}", "/api/audit?to={}", "/api/audit?from={}&job=1", "/api/runs?since={}",
    "/api/runs?since={}&job=1", "/api/runs?since={}&state=failed",
)  # fmt: skip
#: And with one for a number.
NUMBERED = (
    "/?page={}", "/?run={}", "/?after={}", "/?sort=next&after=1-{}", "/?sort=next&before=1--{}",
    "/?sort=usual&after=1-{}", "/job/1?newer=r{}", "/job/1?older=r{}", "/job/1?older=e{}",
    "/failures?older=r{}", "/runners?page={}", "/changes?before={}", "/changes?job={}",
    "/changes?part_of={}", "/changes?per_page={}", "/upcoming?hours={}", "/api/upcoming?hours={}",
    "/api/jobs?page={}", "/api/jobs?per_page={}", "/api/jobs?id={}", "/api/categories?id={}",
    "/api/changes?before={}", "/api/changes?per_page={}", "/api/runs?cursor=r{}",
    "/api/runs?per_page={}", "/api/runs?job={}", "/api/jobs/{}", "/job/{}", "/api/runners?page={}",
    "/api/failures?older=r{}",
)  # fmt: skip
SCHEDULES: tuple[Any, ...] = (
    "at 9999-12-31T23:59:59.999999Z", "at 0001-01-01T00:00:00Z", "R/0001-01-01T00:00:00Z/P1M", "every P8000Y",
    "R/9999-12-31T00:00:00Z/PT1H", "R/9999-12-31T23:59:59.999998Z/PT1S", "R/0001-01-01T00:00:00.000001Z/PT1S",
    "R2/P8000Y/9999-12-31T23:59:59Z", "* * * * *", "59 23 31 12 *",
)  # fmt: skip
PAGES = (
    "/", "/?sort=next", "/overview", "/upcoming", "/upcoming?hours=168", "/audit", "/category/extreme",
)  # fmt: skip
ZONES = ("UTC", "Pacific/Apia", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati")


class ExtremesTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(seed_small)

    def assert_no_fault(self, answer: Answer, asked: object) -> None:
        self.assertLess(answer.code, 500, asked)
        self.assertTrue(answer.body or 300 <= answer.code < 400, asked)

    def test_questions(self) -> None:
        """Every field that takes a moment, a day or a number."""
        paths = [place.format(text.replace("+", "%2B")) for place, text in product(MOMENTS, TIMES)]
        paths += [place.format(number) for place, number in product(NUMBERED, NUMBERS)]
        paths += [f"/job/1?day={day}" for day in DAYS]
        for path in paths:
            self.assert_no_fault(self.get(path), path)

    def test_deeds(self) -> None:
        """A pause and a backfill, asked for by programs and with forms."""
        for time, order in product(TIMES, ("oldest", "newest")):
            for asked in ({"from": time}, {"from": "0001-01-01", "to": time}):
                said = asked | {"order": order}
                self.assert_no_fault(self.post("/api/jobs/1/backfill", json=said), said)
                self.assert_no_fault(self.post("/job/1/backfill", data=said | self.token("backfill")), said)
            said = {"until": time}
            self.assert_no_fault(self.post("/api/jobs/1/pause", json=said), said)
            self.assert_no_fault(self.post("/job/1/pause", data=said | self.token("pause")), said)
            for path in ("/", "/job/1", "/api/jobs/1", "/api/jobs/1/backfills", "/overview", "/upcoming"):
                self.assertEqual(self.get(path).code, 200, (path, said))

    def test_documents(self) -> None:
        """Jobs whose schedules lie there: each is refused with its place, or shown on every page."""
        accepted = []
        for number, (schedule, zone) in enumerate(product(SCHEDULES, ZONES)):
            keys = {"schedule": schedule, "timezone": zone}
            self.assert_no_fault(self.post("/api/schedule/preview", json=keys), keys)
            for jitter in ({}, {"jitter": "P1D"}):
                job = {"name": f"job {number}", "command": "true"} | keys | jitter
                answer = self.put("extreme", job)
                if answer.code == 200:
                    accepted.append(job)
                else:
                    self.assertEqual(answer.code, 400, job)
                    self.assertIn("jobs[0].schedule", answer.text)
        names = {job["name"]: job for job in accepted}
        self.assertGreater(len(names), len(SCHEDULES))
        self.assertEqual(self.put("extreme", *names.values()).code, 200)
        listed = self.get("/api/jobs?per_page=100&category.name=extreme").json["data"]["jobs"]
        self.assertEqual(len(listed), len(names))
        for job in listed:
            for path in (f"/job/{job['id']}", f"/api/jobs/{job['id']}"):
                self.assertEqual(self.get(path).code, 200, path)
            deeds = {"skip-next": {}, "pause": {"until": "9999-12-31T23:59:59.999999Z"}}
            if names[job["name"]]["timezone"] == "Pacific/Apia":
                deeds["backfill"] = {"from": "0001-01-01"}
            for deed, said in deeds.items():
                self.assert_no_fault(self.post(f"/api/jobs/{job['id']}/{deed}", json=said), (job, deed))
            self.assertEqual(self.get(f"/job/{job['id']}").code, 200)
        for path in (
            "/",
            "/?sort=next",
            "/overview",
            "/upcoming",
            "/upcoming?hours=168",
            "/audit",
            "/category/extreme",
        ):
            self.assertEqual(self.get(path).code, 200, path)
        self.assertEqual(self.put("extreme").code, 200)

    def put(self, category: str, *jobs: dict[str, Any]) -> Answer:
        document = json.dumps({"category": category, "jobs": jobs})
        return self.ask("PUT", f"/api/category/{category}", data=document.encode())

    def token(self, deed: str) -> dict[str, str]:
        """What the page has put into the form of this deed."""
        return {"token": self.get("/job/1").page.token(f"/job/1/{deed}")}
