"""Who may do what: every route and every role, in one table."""

import re
from typing import Any

from cronq.domain.access import Role
from tests.web.people import SAME_ORIGIN, PeopleCase
from tests.web.seed import NOW
from tests.web.support import Answer

#: What each route takes. Whoever adds one has to say it here, too; None: it is there for everybody.
NEEDS: dict[str, Role | None] = {
    "GET /": Role.VIEWER,
    "POST /": Role.OPERATOR,
    "GET /job/<job_id>": Role.VIEWER,
    "POST /job/<job_id>": Role.OPERATOR,
    "POST /job/<job_id>/pause": Role.OPERATOR,
    "POST /api/jobs/<job_id>/pause": Role.OPERATOR,
    "POST /job/<job_id>/resume": Role.OPERATOR,
    "POST /api/jobs/<job_id>/resume": Role.OPERATOR,
    "POST /job/<job_id>/skip-next": Role.OPERATOR,
    "POST /api/jobs/<job_id>/skip-next": Role.OPERATOR,
    "POST /job/<job_id>/unskip-next": Role.OPERATOR,
    "POST /api/jobs/<job_id>/unskip-next": Role.OPERATOR,
    "POST /job/<job_id>/backfill": Role.OPERATOR,
    "POST /api/jobs/<job_id>/backfill": Role.OPERATOR,
    "POST /job/<job_id>/stop-backfill": Role.OPERATOR,
    "POST /api/jobs/<job_id>/stop-backfill": Role.OPERATOR,
    "GET /api/jobs/<job_id>/backfills": Role.VIEWER,
    "POST /api/schedule/preview": Role.VIEWER,
    "GET /run/<run_id>": Role.VIEWER,
    "POST /run/<run_id>/kill": Role.OPERATOR,
    "POST /run/<run_id>/again": Role.OPERATOR,
    "GET /run/<run_id>/stream": Role.VIEWER,
    "GET /run/<run_id>/output.txt": Role.VIEWER,
    "GET /runners": Role.VIEWER,
    "GET /runner/<name>": Role.VIEWER,
    "POST /runner/<name>": Role.OPERATOR,
    "GET /upcoming": Role.VIEWER,
    "GET /api/upcoming": Role.VIEWER,
    "GET /categories": Role.VIEWER,
    "POST /categories": Role.VIEWER,
    "GET /category/<name>": Role.VIEWER,
    "POST /category/<name>": Role.EDITOR,
    "GET /api/category/<name>": Role.VIEWER,
    "GET /failures": Role.VIEWER,
    "GET /api/failures": Role.VIEWER,
    "POST /job/<job_id>/acknowledge": Role.OPERATOR,
    "POST /api/jobs/<job_id>/acknowledge": Role.OPERATOR,
    "POST /job/<job_id>/unacknowledge": Role.OPERATOR,
    "POST /api/jobs/<job_id>/unacknowledge": Role.OPERATOR,
    "GET /events": Role.VIEWER,
    "GET /overview": Role.VIEWER,
    "GET /api/overview": Role.VIEWER,
    "GET /audit": Role.VIEWER,
    "GET /changes": Role.VIEWER,
    "GET /access": Role.VIEWER,
    "POST /access/password": Role.VIEWER,
    "POST /access/users": Role.ADMIN,
    "POST /access/users/role": Role.ADMIN,
    "POST /access/users/password": Role.ADMIN,
    "POST /access/users/logout": Role.ADMIN,
    "POST /access/users/remove": Role.ADMIN,
    "POST /access/tokens": Role.ADMIN,
    "POST /access/tokens/revoke": Role.ADMIN,
    "GET /login": None,
    "POST /login": None,
    "POST /logout": Role.VIEWER,
    "POST /logout-everywhere": Role.VIEWER,
    "GET /_status": None,
    "GET /static/<name>": None,
    "PUT /api/category/<name>": Role.EDITOR,
    "POST /api/category/<name>": Role.EDITOR,
    "GET /api/categories": Role.VIEWER,
    "GET /api/categories/<name>": Role.VIEWER,
    "GET /api/jobs": Role.VIEWER,
    "GET /api/jobs/<job_id>": Role.VIEWER,
    "POST /api/jobs/<job_id>/run": Role.OPERATOR,
    "GET /api/runs": Role.VIEWER,
    "GET /api/runs/<run_id>": Role.VIEWER,
    "GET /api/runs/<run_id>/output": Role.VIEWER,
    "GET /api/runs/<run_id>/stream": Role.VIEWER,
    "POST /api/runs/<run_id>/again": Role.OPERATOR,
    "POST /api/runs/<run_id>/kill": Role.OPERATOR,
    "GET /api/runners": Role.VIEWER,
    "GET /api/runners/<name>": Role.VIEWER,
    "POST /api/runners/<name>/drain": Role.OPERATOR,
    "GET /api/audit": Role.VIEWER,
    "GET /api/openapi.json": Role.VIEWER,
    "GET /api/changes": Role.VIEWER,
}
#: In which of them whoever is limited to a category may do more than look, within it.
DEEDS = (
    "pause",
    "resume",
    "skip-next",
    "unskip-next",
    "acknowledge",
    "unacknowledge",
    "backfill",
    "stop-backfill",
)
BY_CATEGORY = {
    "POST /",
    "POST /job/<job_id>",
    "PUT /api/category/<name>",
    "POST /api/category/<name>",
    "POST /category/<name>",
    "POST /api/jobs/<job_id>/run",
    "POST /run/<run_id>/kill",
    "POST /api/runs/<run_id>/kill",
    "POST /run/<run_id>/again",
    "POST /api/runs/<run_id>/again",
    *(f"POST {job}/{deed}" for job in ("/job/<job_id>", "/api/jobs/<job_id>") for deed in DEEDS),
}
#: What is about all categories at once, so that it takes the role in all of them.
OF_ALL = {"POST /runner/<name>", "POST /api/runners/<name>/drain"}
MINE = {"job_id": "1", "name": "mine", "run_id": "1" * 32}
OTHERS = {"job_id": "2", "name": "others", "run_id": "2" * 32}
SHORT = {"jobs": [{"name": "new", "schedule": "R/2026-01-01T00:00:00Z/PT1H", "command": "true"}]}


def plain_path(path: str) -> str:
    """The path of a route without what its variables have to be."""
    return re.sub(r"<[^>]*?(\w+)>", r"<\1>", path)


class RoleTests(PeopleCase):
    """Every route and every role."""

    def call(self, key: str, values: dict[str, str], headers: dict[str, str]) -> Answer:
        """Ask for a route in a way that only rights can refuse, or what it answers to nothing much."""
        self.site.streams.end_all()  # those that would never end, do so at once
        method, _, path = key.partition(" ")
        path = re.sub(r"<(\w+)>", lambda found: values.get(found[1], "0" * 32), path)
        body: dict[str, Any] = {}
        if method != "GET":
            form = {"run": values["job_id"]} if path == "/" else {"run_now": "1"}
            body = {"json": SHORT} if path.startswith("/api/") else {"data": form}
        return self.ask(method, path, headers=headers | SAME_ORIGIN, **body)

    def test_every_route_is_here(self) -> None:
        """The table has all routes and no others, and each takes the role that it says."""
        found = {
            f"{method} {plain_path(route.path)}": route.needs
            for route in self.site.routes
            for method in route.methods
        }
        self.assertEqual(found, NEEDS)

    def test_strangers(self) -> None:
        """Whoever is not known gets a login page, or 401 when it is a program or a form, and nothing else."""
        for key, needs in NEEDS.items():
            answer = self.call(key, MINE, {})
            if needs is None:
                self.assertNotEqual(answer.header("Location"), "/login", key)
            elif key.startswith("GET") and "/api/" not in key:
                self.assertEqual(answer.code, 303, key)
                self.assertRegex(answer.header("Location") or "", "^/login", key)
            else:
                self.assertEqual(answer.code, 401, key)
                self.assertEqual(answer.header("WWW-Authenticate"), 'Bearer realm="cronq"')

    def test_roles(self) -> None:
        """Each role may do what it includes, and is refused all else, logged in or with a token."""
        for role in Role:
            for kind in (self.session, self.token):
                headers = kind(role)
                for key, needs in NEEDS.items():
                    if needs is None or key.startswith("POST /logout"):
                        continue
                    code = self.call(key, MINE, headers).code
                    if key == "POST /access/password" and kind == self.token:
                        self.assertEqual(code, 403, key)  # it has none
                    elif role.includes(needs):
                        self.assertNotIn(code, {401, 403, 500}, (role, key))
                    else:
                        self.assertEqual(code, 403, (role, key))
        self.assertGreater(self.wakes, 0)

    def test_limited(self) -> None:
        """Whoever is limited to a category does more than look in it only."""
        for role in (Role.OPERATOR, Role.EDITOR):
            headers = self.token(role, "mine")
            for key, needs in NEEDS.items():
                if needs is None or not role.includes(needs) or key.startswith("POST /access/password"):
                    continue
                within = self.call(key, MINE, headers).code
                self.assertEqual(within == 403, key in OF_ALL, (role, key))
                self.assertNotIn(within, {401, 500}, (role, key))
                elsewhere = self.call(key, OTHERS, headers).code
                if needs is Role.VIEWER:
                    self.assertNotIn(elsewhere, {401, 403, 500}, (role, key))
                else:
                    self.assertIn(key, BY_CATEGORY | OF_ALL)
                    self.assertEqual(elsewhere, 403, (role, key))

    def test_name_in_the_document(self) -> None:
        """The category that counts is the one of the path, and a document for another is refused."""
        headers = self.token(Role.EDITOR, "mine")
        answer = self.ask("PUT", "/api/category/mine", json=SHORT | {"category": "others"}, headers=headers)
        self.assertEqual(answer.code, 400)
        for path in (
            "/api/category/others",
            "/api/category/Mine",
            "/api/category/mine%20",
            "/api/category/%6Dine/",
        ):
            self.assertIn(self.ask("PUT", path, json=SHORT, headers=headers).code, {403, 404}, path)

    def test_buttons(self) -> None:
        """Nobody is shown a button that would refuse them."""
        for role, shown in ((Role.VIEWER, False), (Role.OPERATOR, True)):
            page = self.get("/job/1", headers=self.session(role)).text
            self.assertEqual("Run now" in page, shown)
        self.assertNotIn("Make a token", self.get("/access", headers=self.session(Role.EDITOR)).text)
        self.assertIn("Make a token", self.get("/access", headers=self.session(Role.ADMIN)).text)

    def test_changed_role(self) -> None:
        """Another role counts at once, also for who is logged in."""
        headers = self.session(Role.EDITOR)
        admin = self.session(Role.ADMIN) | SAME_ORIGIN
        change = {"name": "eddy", "role": "operator", "categories": "mine\r\n others "}
        self.assertEqual(self.post("/access/users/role", data=change, headers=admin).code, 303)
        self.assertEqual(self.call("PUT /api/category/<name>", MINE, headers).code, 403)
        for values in (MINE, OTHERS):
            self.assertEqual(self.call("POST /job/<job_id>", values, headers).code, 303)
        self.assertEqual(self.now, NOW)


class WhoTests(PeopleCase):
    """Who runs and kills is known by their login, whatever they say of themselves."""

    def test_run_and_kill(self) -> None:
        """The run has the name of whoever is logged in, and so has the record of changes."""
        headers = self.session(Role.OPERATOR) | SAME_ORIGIN
        said = {"by": "somebody else", "reason": "it came late"}
        answer = self.post("/api/jobs/1/run", headers=headers, json=said)
        run_id = answer.json["success"]["run_id"]
        self.assertEqual(self.post(f"/api/runs/{run_id}/kill", headers=headers, json=said).code, 200)
        (run,) = [
            run
            for run in self.get("/api/jobs/1", headers=headers).json["data"]["job"]["runs"]
            if run["id"] == run_id
        ]
        self.assertEqual(run["request"], {"by": "otto", "reason": "it came late"})
        self.assertEqual(run["reason"], "killed by otto: it came late")
        killed, asked = self.get("/api/changes?job=1", headers=headers).json["data"]["changes"]
        self.assertEqual((killed["who"], killed["action"]), ("otto", "run.killed"))
        self.assertEqual(killed["after"], {"run": run_id, "reason": "killed by otto: it came late"})
        self.assertEqual((asked["action"], asked["subject"]), ("job.run", "mine/mine job"))
        self.assertEqual(asked["after"], {"run": run_id, "by": "otto", "reason": "it came late"})
        page = self.get("/changes", headers=headers).page
        self.assertIn("killed a run of mine/mine job", page.text)

    def test_buttons(self) -> None:
        """Whoever may not run or kill, pause or backfill sees no button for it."""
        buttons = {"Run now", "Pause", "Skip the next slot", "Run those that have not run", "Call it off"}
        for role, seen in ((Role.VIEWER, set()), (Role.OPERATOR, buttons)):
            headers = self.session(role)
            found = self.get("/job/1", headers=headers).page.texts("button")
            found += self.get(f"/run/{MINE['run_id']}", headers=headers).page.texts("button")
            self.assertEqual(buttons.intersection(found), seen)
