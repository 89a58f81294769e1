"""Logging in and out, and what is done against guessing."""

from datetime import timedelta

from cronq.database.access_tables import sessions
from cronq.database.users import set_password
from cronq.domain.access import LONGEST_PASSWORD, SHELL, Role
from cronq.web.pages.logins import safe_path
from cronq.web.safety import passwords
from tests.web.people import PASSWORD, SAME_ORIGIN, PeopleCase, cookie_of, digest

WRONG = "The name or the password is wrong."


class LoginTests(PeopleCase):
    """The login page."""

    def test_in_and_out(self) -> None:
        """With the password one gets in, and after logging out the cookie is worthless."""
        answer = self.log_in(fields={"next": "/job/1?older=r5"})
        self.assertEqual((answer.code, answer.header("Location")), (303, "/job/1?older=r5"))
        headers = {"Cookie": cookie_of(answer)}
        self.assertIn("anna", self.get("/", headers=headers).text)
        out = self.post("/logout", headers=headers | SAME_ORIGIN)
        self.assertEqual((out.code, out.header("Location")), (303, "/login"))
        self.assertIn("Max-Age=0", out.header("Set-Cookie") or "")
        self.assertEqual(self.get("/", headers=headers).code, 303)

    def test_cookie(self) -> None:
        """Scripts and other sites never see the cookie, and with HTTPS it travels in no other way."""
        plain = self.log_in().header("Set-Cookie") or ""
        secure = self.log_in(headers={"X-Forwarded-Proto": "https"}).header("Set-Cookie") or ""
        for header in (plain, secure):
            self.assertIn("; HttpOnly; SameSite=Lax", header)
            self.assertIn("; Path=/;", header)
            self.assertNotIn("Domain", header)
        self.assertTrue(plain.startswith("cronq="))
        self.assertTrue(secure.startswith("__Host-cronq="))
        self.assertTrue(secure.endswith("; Secure"))

    def test_cookie_of_http(self) -> None:
        """With HTTPS a cookie that anybody could have planted without it counts for nothing."""
        headers = self.session(Role.ADMIN)
        self.assertEqual(self.get("/", headers=headers).code, 200)
        self.assertEqual(self.get("/", headers=headers | {"X-Forwarded-Proto": "https"}).code, 303)

    def test_fixation(self) -> None:
        """A login makes a new secret, whatever cookie was there, and ends the session of that cookie."""
        before = self.session(Role.VIEWER)
        planted = {"Cookie": "cronq=planted-by-somebody"}
        for headers in (before, planted):
            answer = self.log_in(headers=headers)
            self.assertNotEqual(cookie_of(answer), headers["Cookie"])
            self.assertEqual(self.get("/", headers=headers).code, 303)

    def test_everywhere(self) -> None:
        """Logging out everywhere ends all sessions of this user, and of nobody else."""
        mine, others = [self.session(Role.ADMIN) for _ in range(3)], self.session(Role.VIEWER)
        self.post("/logout-everywhere", headers=mine[0] | SAME_ORIGIN)
        self.assertEqual([self.get("/", headers=each).code for each in (*mine, others)], [303, 303, 303, 200])

    def test_mistakes(self) -> None:
        """A page that says what is wrong still says who is logged in, with a way out."""
        headers = self.session(Role.VIEWER)
        for path, code in (("/nothing", 404), ("/job/4711", 404), ("/failures?status=x", 400)):
            answer = self.get(path, headers=headers)
            self.assertEqual(answer.code, code)
            self.assertIn("vera Log out", answer.page.text, path)
        form = {"form_token": answer.page.token("/logout")}
        self.assertNotIn("Log out", self.get("/nothing").page.text)
        self.assertNotIn("Log out", self.get("/nothing", headers={"Cookie": "cronq=wrong"}).page.text)
        forbidden = self.post("/job/1", data={"run_now": "1"}, headers=headers | SAME_ORIGIN)
        self.assertEqual((forbidden.code, "vera Log out" in forbidden.page.text), (403, True))
        self.assertEqual(self.post("/logout", data=form, headers=headers).code, 303)

    def test_wrong(self) -> None:
        """A wrong name, a wrong password and a user without one are told alike."""
        self.write(set_password, SHELL, "vera", None)
        said = {
            (answer.code, answer.page.text.replace("vera", "anna").replace("nobody", "anna"))
            for answer in (self.log_in("anna", "wrong wrong"), self.log_in("nobody"), self.log_in("vera"))
        }
        self.assertEqual({code for code, _ in said}, {401})
        self.assertIn(WRONG, next(iter(said))[1])
        self.assertEqual(len(said), 1)

    def test_hostile(self) -> None:
        """Whatever is typed is refused, shown as text, and in no other way."""
        for name in (
            "<script>alert(1)</script>",
            "anna\0",
            "anna ' OR 1=1 --",
            "x" * 100_000,
            "\U0001d518",
            "",
        ):
            answer = self.log_in(name, "x")
            self.assertEqual(answer.code, 401, name[:20])
            self.assertIn(WRONG, answer.page.text)

    def test_long_password(self) -> None:
        """Nobody has it hashed: it is refused by its length."""
        hashed: list[object] = []
        self.patch(passwords, "is_password", lambda *given: hashed.append(given))
        self.assertEqual(self.log_in(password="x" * (LONGEST_PASSWORD + 1)).code, 401)
        self.assertEqual(hashed, [])

    def test_same_text(self) -> None:
        """A password is the same, whichever way the keyboard has made its umlauts."""
        self.post(
            "/access/users/password",
            data={"name": "vera", "password": "größe größe größe"},
            headers=self.session(Role.ADMIN) | SAME_ORIGIN,
        )
        self.assertEqual(self.log_in("vera", "gro\u0308ße größe gro\u0308ße").code, 303)

    def test_pages_of_others(self) -> None:
        """Nobody is logged in, as somebody else, by a page of another site."""
        data = {"name": "anna", "password": PASSWORD}
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            self.assertEqual(self.post("/login", data=data, headers=headers).code, 403, headers)

    def test_form_token(self) -> None:
        """Without any header of a browser, the token of the form shows where it was made."""
        form = self.get("/login").page
        (token,) = {
            each.attributes["value"]
            for each in form.all("input")
            if each.attributes.get("name") == "form_token"
        }
        data = {"name": "anna", "password": PASSWORD, "form_token": token}
        self.assertEqual(self.post("/login", data=data).code, 303)

    def test_next(self) -> None:
        """After a login one goes on within cronq."""
        for path in ("/job/1", "/?q=a%20b&state=failed", "/a/b"):
            self.assertEqual(safe_path(path), path)
        for path in (
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "/\t/evil.example",
            "job",
            "javascript:alert(1)",
            "",
            "/\n",
            "///evil.example",
            "/ü",
            "http:/x",
        ):
            self.assertEqual(safe_path(path), "/", path)

    def test_where_one_wanted_to_go(self) -> None:
        """Whoever is sent to log in comes back to the same page."""
        answer = self.get("/?q=a+b&state=failed")
        self.assertEqual(answer.header("Location"), "/login?next=%2F%3Fq%3Da%2Bb%26state%3Dfailed")
        (field,) = [
            each
            for each in self.get(answer.header("Location") or "").page.all("input")
            if each.attributes.get("name") == "next"
        ]
        self.assertEqual(field.attributes["value"], "/?q=a+b&state=failed")

    def test_idle(self) -> None:
        """A session that nobody uses ends; one that is used goes on, and that is written down."""
        headers = self.session(Role.ADMIN)
        for _ in range(4):
            self.now += timedelta(days=2)
            self.assertEqual(self.get("/", headers=headers).code, 200)
        self.now += timedelta(days=4)
        self.assertEqual(self.get("/", headers=headers).code, 303)

    def test_wiped(self) -> None:
        """A session that an admin deletes in the database has ended."""
        headers = self.session(Role.ADMIN)
        self.write(lambda connection: connection.execute(sessions.delete()) and None)
        self.assertEqual(self.get("/", headers=headers).code, 303)


class GuessingTests(PeopleCase):
    """Guessing is slow, and the tests are not: they hash nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(passwords, "is_password", lambda kept, typed: kept == digest() and typed == PASSWORD)

    def failed(self, count: int, name: str = "anna") -> list[int]:
        return [self.log_in(name, "wrong wrong").code for _ in range(count)]

    def test_by_name(self) -> None:
        """After five failures each costs a pause that doubles, up to a minute, also for names of nobody."""
        for name in ("anna", "nobody"):
            self.assertEqual(self.failed(7, name), [401] * 6 + [429])
        answer = self.log_in()
        self.assertEqual((answer.code, answer.header("Retry-After")), (429, "1"))
        self.assertIn("too many failed logins", answer.page.text)
        for pause in (1, 2, 4, 8, 16, 32, 60, 60):
            self.seconds += pause
            self.assertEqual(self.failed(2), [401, 429], pause)

    def test_only_that_name(self) -> None:
        """Others get in meanwhile, and after the pause whoever was attacked does, with a clean slate."""
        self.failed(7)
        self.assertEqual(self.log_in("otto").code, 303)
        self.seconds += 1
        self.assertEqual(self.log_in("anna").code, 303)
        self.assertEqual(self.failed(7), [401] * 6 + [429])

    def test_programs(self) -> None:
        """A password that is known to be right cannot be told from a wrong one during a pause either."""
        headers = {"Authorization": "Basic YW5uYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="}
        token = self.token(Role.ADMIN)
        self.assertEqual(self.get("/api/jobs", headers=headers).code, 200)
        self.failed(7)
        self.assertEqual(self.get("/api/jobs", headers=headers).code, 429)
        self.assertEqual(self.get("/api/jobs", headers=token).code, 200)
        self.seconds += 1
        self.assertEqual(self.get("/api/jobs", headers=headers).code, 200)

    def test_remembered(self) -> None:
        """A password that was right is hashed once, and counts no longer than it is the password."""
        hashed: list[object] = []

        def is_password(kept: object, typed: str) -> bool:
            hashed.append(kept)
            return typed == PASSWORD

        self.patch(passwords, "is_password", is_password)
        headers = {"Authorization": "Basic YW5uYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="}
        codes = [self.get("/api/jobs", headers=headers).code for _ in range(3)]
        self.assertEqual((codes, len(hashed)), ([200] * 3, 1))
        self.patch(passwords, "is_password", lambda *_: False)
        self.write(set_password, SHELL, "anna", "another digest")
        self.assertEqual(self.get("/api/jobs", headers=headers).code, 401)

    def test_old_password(self) -> None:
        """Whoever finds a browser that is logged in does not get to guess the password either."""
        headers = self.session(Role.VIEWER) | SAME_ORIGIN
        data = {"old": "wrong wrong", "new": "quite another password"}
        codes = [self.post("/access/password", data=data, headers=headers).code for _ in range(7)]
        self.assertEqual(codes, [400] * 6 + [429])
