"""By what a request shows who sends it: tokens, passwords, proxies, and nothing at all."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

from cronq.database.access_tables import changes, tokens
from cronq.database.tokens import add_token, revoke_token
from cronq.database.users import add_user, remove_user, set_password
from cronq.domain.access import SHELL, Role
from cronq.web.safety.proxies import Proxies
from cronq.web.site import WebSettings
from tests.web.people import PASSWORD, SAME_ORIGIN, PeopleCase
from tests.web.seed import add_category, add_job
from tests.web.support import WebTestCase

DOCUMENT: dict[str, Any] = {"jobs": []}


def basic(name: str, password: str) -> dict[str, str]:
    """The header that `curl -u` sends."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


class TokenTests(PeopleCase):
    """`Authorization: Bearer`."""

    def test_changes(self) -> None:
        """A program with a token changes what the token is good for, without any header of a browser."""
        headers = self.token(Role.EDITOR)
        self.assertEqual(self.ask("PUT", "/api/category/new", json=DOCUMENT, headers=headers).code, 200)
        self.assertEqual(self.post("/job/1", data={"run_now": "1"}, headers=headers).code, 303)
        self.assertEqual(self.post("/api/jobs/1/run", headers=headers).code, 200)

    def test_worthless(self) -> None:
        """What is no token, was one, or is none yet, is answered alike."""
        gone = self.write(add_token, SHELL, "gone", Role.ADMIN, None, None)
        self.write(revoke_token, SHELL, "gone")
        late = self.write(add_token, SHELL, "late", Role.ADMIN, None, self.now + timedelta(hours=1))
        self.assertEqual(self.get("/api/jobs", headers={"Authorization": f"bearer {late}"}).code, 200)
        self.now += timedelta(hours=1)
        for token in (gone, late, "cq_", "", "x" * 5000, "cq_" + "0" * 48, late[:-1], f"{late}."):
            answer = self.get("/api/jobs", headers={"Authorization": f"Bearer {token}"})
            self.assertEqual(
                (answer.code, answer.json["error"]["message"]),
                (401, "This token is not known here, or it has expired."),
                token[:50],
            )

    def test_used(self) -> None:
        """When a token was last used can be seen."""
        headers = self.token(Role.VIEWER)
        self.get("/api/jobs", headers=headers)
        self.assertIn(self.now, self.write(lambda c: [row.used_at for row in c.execute(tokens.select())]))

    def test_whose_change(self) -> None:
        """What a program changes is written down with the name of its token."""
        self.post("/api/jobs/1/run", headers=self.token(Role.OPERATOR))
        (row,) = self.write(lambda c: c.execute(changes.select().where(changes.c.action == "job.run")).all())
        self.assertEqual((row.via, row.address), ("token", "127.0.0.1"))
        self.assertTrue(row.who.startswith("operator-"), row.who)

    def test_made_on_the_page(self) -> None:
        """A token that the page has made is shown once, and works."""
        headers = self.session(Role.ADMIN) | SAME_ORIGIN
        fields = {"name": "deploy", "role": "editor", "categories": "mine", "days": "1"}
        made = self.post("/access/tokens", data=fields, headers=headers)
        self.assertEqual(made.code, 200)
        token = made.page.text.partition("cq_")[2][:48]
        bearer = {"Authorization": f"Bearer cq_{token}"}
        self.assertEqual(self.ask("PUT", "/api/category/mine", json=DOCUMENT, headers=bearer).code, 200)
        self.assertEqual(self.ask("PUT", "/api/category/others", json=DOCUMENT, headers=bearer).code, 403)
        self.assertNotIn(token, self.get("/access", headers=headers).text)
        self.now += timedelta(days=1)
        self.assertEqual(self.get("/api/jobs", headers=bearer).code, 401)
        self.assertIn("expired", self.get("/access", headers=headers).page.text)
        self.post("/access/tokens/revoke", data={"name": "deploy"}, headers=headers)
        self.assertNotIn("deploy", self.get("/access", headers=headers).page.text)


class BasicTests(PeopleCase):
    """`curl -u`."""

    def test_password(self) -> None:
        """The password of a user lets a program in, with the rights of the user."""
        self.assertEqual(self.get("/api/jobs", headers=basic("vera", PASSWORD)).code, 200)
        answer = self.ask("PUT", "/api/category/c", json=DOCUMENT, headers=basic("vera", PASSWORD))
        self.assertEqual(answer.code, 403)
        for headers in (basic("vera", "wrong"), basic("nobody", PASSWORD), basic("vera", ""), basic("", "")):
            self.assertEqual(self.get("/api/jobs", headers=headers).code, 401)

    def test_unreadable(self) -> None:
        """What is no such header is refused, and not taken for nothing."""
        cookie = self.session(Role.ADMIN)
        for header in ("Basic", "Basic !!!", "Basic /w==", "Digest x", "x", "", "Negotiate YII="):
            answer = self.get("/api/jobs", headers=cookie | {"Authorization": header})
            self.assertEqual(answer.code, 401, header)

    def test_no_browser_is_asked(self) -> None:
        """No browser is told that it could send a password by itself."""
        for path in ("/api/jobs", "/"):
            self.assertNotIn("asic", self.get(path).header("WWW-Authenticate") or "")


class ProxyTests(PeopleCase):
    """`X-Remote-User`, and where a request comes from."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("vera", "otto"):
            self.write(set_password, SHELL, name, None)
        self.token_headers = self.token(Role.OPERATOR)

    def serve_behind(self, *names: str) -> None:
        self.serve(self.settings_with(proxies=Proxies.parse(names)))

    def test_trusted(self) -> None:
        """Whom a trusted proxy names is let in with the rights of that user."""
        self.serve_behind("10.0.0.0/8", "127.0.0.1")
        headers = {"X-Remote-User": "vera"}
        self.assertEqual(self.get("/", headers=headers).code, 200)
        self.assertEqual(self.post("/job/1", headers=headers | SAME_ORIGIN).code, 403)
        answer = self.get("/api/jobs", headers={"X-Remote-User": "<b>eve"})
        self.assertEqual(answer.code, 403)
        self.assertIn("is no user of this cronq yet", answer.text)
        self.assertEqual(self.get("/", headers={"X-Remote-User": ""}).code, 303)

    def test_with_a_password(self) -> None:
        """Whoever has a password is not let in by a proxy, beside which other programs may run."""
        self.serve_behind("127.0.0.1")
        answer = self.get("/api/jobs", headers={"X-Remote-User": "anna"})
        self.assertEqual((answer.code, "anna has a password here" in answer.text), (403, True))

    def test_untrusted(self) -> None:
        """What anybody else says of themselves counts for nothing."""
        for names in ((), ("10.0.0.1", "::1", "192.0.2.0/24"), ("unix",)):
            self.serve_behind(*names)
            self.assertEqual(self.get("/", headers={"X-Remote-User": "vera"}).code, 303)

    def test_twice(self) -> None:
        """A header that a client has slipped in beside that of the proxy is no way in."""
        self.serve_behind("127.0.0.1")
        answer = self.get("/api/jobs", headers={"X-Remote-User": ["vera", "otto"]})
        self.assertEqual(answer.code, 400)

    def test_pages_of_others(self) -> None:
        """A browser behind a proxy is told from a program by where its request comes from."""
        self.serve_behind("127.0.0.1")
        headers = {"X-Remote-User": "otto"}
        for more, code in (({}, 403), (SAME_ORIGIN, 303), ({"Sec-Fetch-Site": "cross-site"}, 403)):
            answer = self.post("/job/1", data={"run_now": "1"}, headers=headers | more)
            self.assertEqual(answer.code, code, more)

    def test_address(self) -> None:
        """Of what a trusted proxy says, the last address counts that is not its own, and no other."""
        self.serve_behind("127.0.0.1", "10.0.0.0/8")
        for sent, address in (
            ("198.51.100.7", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
            ("nonsense, 198.51.100.7", "198.51.100.7"),
            ("198.51.100.7, nonsense", "127.0.0.1"),
            ("10.9.9.9", "10.9.9.9"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("", "127.0.0.1"),
        ):
            self.assertEqual(self.address_of({"X-Forwarded-For": sent}), address, sent)
        self.serve_behind()
        self.assertEqual(self.address_of({"X-Forwarded-For": "198.51.100.7"}), "127.0.0.1")

    def address_of(self, headers: dict[str, str]) -> Any:
        """What is written down of where a change came from."""
        self.post("/api/jobs/1/run", headers=self.token_headers | headers)
        query = changes.select().where(changes.c.action == "job.run").order_by(changes.c.id.desc())
        return self.write(lambda connection: connection.execute(query).first()).address


class OpenTests(WebTestCase):
    """Where nobody has to log in."""

    def setUp(self) -> None:
        super().setUp()
        self.write(add_job, self.write(add_category, "c"), "j")

    def test_as_027(self) -> None:
        """Without users, whatever a script for 0.27 sends is done, with the headers that curl adds."""
        for headers in (
            {},
            {"Content-Type": "application/x-www-form-urlencoded"},
            basic("of", "nginx"),
            {"Authorization": "Bearer cq_old"},
            {"Authorization": "Negotiate x"},
            {"Cookie": "cronq=old; other=1"},
        ):
            answer = self.ask("PUT", "/api/category/d", data=b'{"jobs": []}', headers=headers)
            self.assertEqual(answer.code, 200, headers)
            self.assertEqual(self.post("/job/1", data={"run_now": "1"}, headers=headers).code, 303)

    def test_first_user(self) -> None:
        """As soon as there is a user, everybody is asked for a login; when the last one goes, nobody is."""
        self.assertEqual(self.get("/").code, 200)
        self.write(add_user, SHELL, "anna", Role.ADMIN, None, None)
        self.assertEqual(self.get("/").code, 303)
        self.write(remove_user, SHELL, "anna")
        self.seconds += 5
        self.assertEqual(self.get("/").code, 200)

    def test_says_how_to_add_one(self) -> None:
        """The page Access says what to type, and makes no users or tokens for whoever comes along."""
        self.assertIn("cronq users add NAME", self.get("/access").page.text)
        for path in ("/access/users", "/access/tokens"):
            answer = self.post(path, data={"name": "eve", "role": "admin"}, headers=SAME_ORIGIN)
            self.assertEqual(answer.code, 403)
        self.assertIn("Nobody has to log in", self.get("/login").page.text)

    def test_no_login(self) -> None:
        """With --no-login loopback stays open, although there are users."""
        self.write(add_user, SHELL, "anna", Role.ADMIN, None, None)
        self.serve(WebSettings(access=self.settings.access.__class__(no_login=True)))
        self.assertEqual(self.get("/").code, 200)

    def test_elsewhere(self) -> None:
        """Where others reach it, nobody is let in as long as there are no users, whatever else was said."""
        kind = self.settings.access.__class__
        for access in (kind(loopback=False), kind(loopback=False, no_login=True)):
            self.serve(WebSettings(access=access))
            for path in ("/", "/api/jobs", "/login"):
                answer = self.get(path)
                self.assertEqual(answer.code, 403, path)
                self.assertIn("cronq users add NAME", answer.text)
            self.assertEqual(self.get("/_status").code, 200)

    def test_whose_change(self) -> None:
        """What is changed is written down as of nobody by name, with the address."""
        self.post("/api/jobs/1/run")
        (row,) = self.write(lambda c: c.execute(changes.select()).all())
        self.assertEqual((row.who, row.via, row.address), (None, "open", "127.0.0.1"))
